"""One network over its training steps, as one page that can be scrubbed."""

import os
from collections.abc import Iterable
from pathlib import Path
from typing import Any

from autograd import Value
from autograd.files import write_file

from ._page import Frame, frame_of
from ._picture import Picture, draw
from ._snapshot import Snapshot


class Training:
    """Graphs of the same program, frozen one after the other; `.save("training.html")` shows them.

    Each graph is copied when it is added, so it must be added before the next update changes the
    parameters.
    """

    def __init__(self, options: dict[str, Any]) -> None:
        self._options = options
        self._picture: Picture | None = None
        self._shape: tuple[object, ...] = ()
        self._frames: list[Frame] = []

    def add(self, graph: Value | Picture, name: str = "") -> None:
        """Freeze `graph` as the next step, called `name` ("step 3" and so on by itself).

        Raises:
            TypeError: neither a Value nor a Picture.
            ValueError: it is another program than the first one: other operations or wiring.
        """
        snapshot = graph.snapshot if isinstance(graph, Picture) else Snapshot(graph)
        shape = tuple(
            (node.op, tuple(x if isinstance(x, int) else None for x in node.operands))
            for node in snapshot.nodes
        )
        if self._picture is None:
            self._shape = shape
            self._picture = graph if isinstance(graph, Picture) else draw(graph, **self._options)
        elif shape != self._shape:
            raise ValueError(
                f"training: step {len(self._frames)} is another program than step 0: "
                f"{_difference(self._shape, shape)}"
            )
        self._frames.append(frame_of(name or f"step {len(self._frames)}", snapshot))

    def html(self) -> str:
        """The page: the picture of the network, a slider over the steps, the curve of the result.

        Raises:
            ValueError: no graph was added, or a primitive of the graph has no JavaScript line.
        """
        if self._picture is None:
            raise ValueError("training: no graph was added")
        return self._picture.page(self._frames)

    def save(self, path: str | os.PathLike[str]) -> Path:
        """The path of the page written.

        Raises:
            ValueError: the name does not end in .html.
        """
        if Path(path).suffix.lower() != ".html":
            raise ValueError(f"training: a page is saved as .html, not {os.fspath(path)!r}")
        return write_file(path, self.html())

    def __len__(self) -> int:
        return len(self._frames)

    def __repr__(self) -> str:
        return f"<Training: {len(self)} steps>"


def training(graphs: Iterable[Value | Picture] = (), **options: Any) -> Training:
    """The page of `graphs`, one training step each; `options` are those of `viz.draw`.

    Give a generator that yields each step's result while it trains, or add the steps one by one:

        film = viz.training()
        for step in range(100):
            loss = ...
            loss.backward()
            film.add(loss)
        film.save("training.html")

    A list of graphs that share parameters would show the last parameters everywhere: a graph's
    leaves are what they are when it is added.
    """
    film = Training(options)
    for graph in graphs:
        film.add(graph)
    return film


def _difference(first: tuple[object, ...], other: tuple[object, ...]) -> str:
    if len(first) != len(other):
        return f"{len(other)} nodes instead of {len(first)}"
    place = next(k for k, (a, b) in enumerate(zip(first, other, strict=True)) if a != b)
    return f"node {place} differs"
