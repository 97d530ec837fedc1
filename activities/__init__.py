"""The hands of the workflows: load facts and plan, render and deliver."""
