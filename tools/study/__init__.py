"""Studies: tables of what one change of params.yaml does, each declared in ``studies/``."""
