"""Commands for those who work on the project; nothing of the pipeline imports them."""
