"""How everything that is seen looks: sizes, themes, colours, and pages."""
