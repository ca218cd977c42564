"""The probe `layers`: where in an encoder are two languages most alike?"""
