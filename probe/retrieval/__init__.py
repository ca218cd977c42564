"""The probe `retrieval`: how often is the translation the nearest sentence?"""
