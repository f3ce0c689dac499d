// A cluster as readonly data: what it holds, what its policies say, and what may flow; every form of "missing" is settled before it gets here.
