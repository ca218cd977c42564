"""The probe `layers`: where in an encoder do two languages meet?"""
