"""Lightweight deepfake detection that anyone can reproduce."""
