"""How public data sets lie on disk: one module a layout, each behind one function ``rows``.

Every row has the columns of ``rows.COLUMNS``; what a data set does not tell is empty.
"""
