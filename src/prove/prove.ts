// Assertions held against a Program, with a counterexample where they fail; and what can be taken away without a change.
