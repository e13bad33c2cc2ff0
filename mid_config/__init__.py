"""The config: read strictly, and unfolded into variants, rounds and their owners.

Free of torch and of the science, because the workflow imports it for every dry run.
"""
