"""How each kind of figure is made: one module per kind, each a function from a trial to its figures."""
