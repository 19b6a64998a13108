"""Films, stills and interactive pages of one trial, which `isfray.runs` simulates again."""

from isfray.films.animate import animate_2d, animate_3d, explore_3d, plot_cell

__all__ = ["animate_2d", "animate_3d", "explore_3d", "plot_cell"]
