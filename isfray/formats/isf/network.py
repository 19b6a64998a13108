"""Network files: populations, what they do, and the files of their embedding (docs/formats.md, Network files)."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from pathlib import Path, PurePath
from typing import Any

from isfray.errors import Key, dotted
from isfray.formats.files import FolderSource, Source, StoredSource, read_file
from isfray.formats.isf.embedding import embed
from isfray.formats.isf.entry import Entry
from isfray.formats.isf.origin import ParamOrigin
from isfray.formats.isf.param import MOST_BYTES as PARAM_BYTES
from isfray.formats.isf.param import format_param, parse_param, plain
from isfray.formats.isf.population import read_population
from isfray.formats.isf.silencing import read_modify_functions
from isfray.model.inputs import InputFile, ModelInputs, files_of
from isfray.model.network import NetworkModel

MODIFY = "network_modify_functions"

_ENTRY = "a mapping with cellNr, celltype and synapses"
_REFERENCES = ("distributionFile", "connectionFile", "weightFile")


def load_network(path: str | Path, search_paths: Iterable[str | Path] = ()) -> NetworkModel:
    """Read a network `.param` file and the `.syn` and `.con` files it names.

    Parameters
    ----------
    path : str or Path
        The file.
    search_paths : iterable of path
        Folders in which referenced files are looked for after the file's own folder.

    Returns
    -------
    NetworkModel

    Raises
    ------
    InputError
        For anything wrong in any of the files, naming file, line or key, value and what was expected.

    Examples
    --------
    >>> cell_file, network_file = isfray.write_example("my_model")
    >>> isfray.load_network(network_file)
    <NetworkModel network: 198 populations, 10,592 cells, 16,727 synapses>
    """
    main = read_file(path, most=PARAM_BYTES)
    return _build(main, FolderSource(Path(main.path).parent, search_paths))


def network_from_inputs(inputs: ModelInputs) -> NetworkModel:
    """Return the network model that the stored files describe; see `load_network`."""
    return _build(files_of(inputs).main, StoredSource(inputs.references))


def network_from_data(
    data: Mapping[str, Any], name: str, references: Mapping[str, InputFile], made: str
) -> NetworkModel:
    """Return the network model that the content of a network file describes.

    Parameters
    ----------
    data : mapping
        Content of a network file.
    name : str
        The file's name.
    references : mapping
        The files it names, by reference as written; more than it needs may be given.
    made : str
        How it came about; messages put it before the name.
    """
    where = f"{made} {name}"
    return _build(InputFile(name, format_param(plain(data, where)).encode(), where), StoredSource(references))


def _build(main: InputFile, source: Source) -> NetworkModel:
    param = parse_param(main.text, main.path or main.name)
    top, expected = Entry(param), "a mapping of population names to their entries"
    if "network" not in top:
        raise top.missing("network", expected)
    entries = top.child("network", expected)
    names = [name for name in entries if name != MODIFY]
    if not names:
        raise top.error("network", "holds no population", expected="at least one population")
    read: dict[str, InputFile] = {}

    def fetch(reference: str, path: Key) -> InputFile:
        if reference not in read:
            read[reference] = source.read(reference, file=param.file, key=dotted(path))
        return read[reference]

    populations, embedded, own = zip(
        *(read_population(name, entries.child(name, _ENTRY), fetch) for name in names), strict=True
    )
    modify = entries.optional(MODIFY)
    silenced = () if modify is None else read_modify_functions(modify, names)
    weights = {(p, r): values for p, by_receptor in enumerate(own) for r, values in by_receptor.items()}
    origin = ParamOrigin(param, ModelInputs(main, read), _renamed)
    return NetworkModel(populations, *embed(embedded), silenced, weights, origin, PurePath(main.name).stem)


def _renamed(data: dict[str, Any], names: Mapping[str, str]) -> dict[str, Any]:
    """The content of a network file with its references renamed."""

    def entry(value: dict[str, Any]) -> dict[str, Any]:
        synapses = value["synapses"]
        return {
            **value,
            "synapses": {k: names[v] if k in _REFERENCES and v else v for k, v in synapses.items()},
        }

    network = {name: value if name == MODIFY else entry(value) for name, value in data["network"].items()}
    return {**data, "network": network}
