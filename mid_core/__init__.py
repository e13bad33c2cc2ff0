"""The science of MID, and its files: no Snakemake here."""
