"""The local stack that `make up`, `make demo` and the tests share; production runs none of it."""
