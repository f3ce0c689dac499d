// Answers read from a Program: whether two ends may talk and on what, who reaches whom, and which rules say so.
