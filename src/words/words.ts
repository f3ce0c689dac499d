// What a person types for an end, a port or an assertion, and what it stands for in a Program.
