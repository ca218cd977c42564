"""The probe `geometry`: isotropy, rank, intrinsic dimension and hubness of each language."""
