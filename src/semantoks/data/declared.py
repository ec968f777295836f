"""How much data a file declares: compared with a limit before memory is taken for it.

A few bytes can declare terabytes. The limits are far above what scanners make: an hour at a TR of
0.5 s and 1.5 mm has 2 million voxels × 7200 volumes, and in CIFTI 170 thousand × 7200 values.
"""

from __future__ import annotations

import gzip
import math
import struct
import zlib
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import nibabel as nib
import numpy as np

from semantoks.errors import ScanError, shown

GB = 10**9
MAX_VOXELS = 500_000_000  # of a volume; a head in voxels of 0.25 mm has 400 million
MAX_RUN = 500 * GB  # bytes of a run, which is read one volume at a time
MAX_TABLE = 250_000_000  # values of regional time series: 2 GB
MAX_DENSE = 4_000_000_000  # values of a dense time series, of which some are read at a time
MAX_IN_MEMORY = 16 * GB  # values of a run that the built-in engine holds: 64 GB
MAX_ROWS = 1_000_000  # scans in a Parquet file
MAX_TEXT = 200_000_000  # bytes of a column of text in a Parquet file
MAX_SLICE = 10_000  # values of it that are read at a time
# DEFLATE cannot compress better than 1032 to 1.
MAX_RATIO = 1100
MAX_HEADER = 500_000_000  # bytes; that of CIFTI has some 10 MB
MAX_EXTENSIONS = 1000
CIFTI_EXTENSION = 32  # code of the NIfTI header extension that holds the CIFTI XML
HEADERS = (nib.Nifti1Header, nib.Nifti2Header)  # in the order in which nibabel tries them
# Images of two files (NIfTI pairs, Analyze, Philips, AFNI), and what nibabel alone unpacks.
OTHER_IMAGES = (".hdr", ".img", ".par", ".rec", ".head", ".brik", ".gz", ".bz2", ".zst", ".z")


def require_at_most(shape: Sequence[int], largest: int, source: str) -> None:
    """Refuse an array that declares more values than any real one has.

    Parameters
    ----------
    shape : sequence of int
    largest : int
    source : str
        File name, for the message.

    Raises
    ------
    ScanError
    """
    declared = " × ".join(str(int(n)) for n in shape)
    count = math.prod(int(n) for n in shape)
    if count > largest:
        raise ScanError(f"{source} declares {declared} values, at most {largest:,} are plausible")


def require_plausible_image(path: Path) -> None:
    """Refuse an image of two files, or whose header extensions are longer or declare too much.

    To be called before nibabel opens it, which opens the other file, whether it is a pipe or a link
    to elsewhere, and reads the extensions whole.

    Raises
    ------
    ScanError
    """
    kind = (path.with_suffix("") if path.suffix == ".gz" else path).suffix
    if kind.lower() in OTHER_IMAGES:
        raise ScanError(
            f"{path.name} is an image in {kind}, .nii or .nii.gz is needed; convert it, such as by "
            "`nib-convert`"
        )
    if path.suffix != ".gz":
        # An extension cannot be longer than the file, but CIFTI may declare more than it has.
        if nib.Cifti2Image.path_maybe_image(path)[0]:
            require_plausible_axes(nib.Nifti2Image.from_filename(path), path)
        return
    try:
        with gzip.open(path) as file:
            longest = _end_of_extensions(file)
    except (EOFError, OSError, zlib.error, struct.error):
        return  # opening it will fail as well, and say why
    if longest > MAX_HEADER:
        raise ScanError(f"{path.name} declares a header of {longest / GB:,.1f} GB")


def _end_of_extensions(file: Any) -> int:
    """Return where the extensions of a NIfTI header end; none is read longer than is plausible."""
    start = file.read(max(kind.sizeof_hdr for kind in HEADERS) + 4)
    # nibabel chooses format and byte order by other fields than the size, which it repairs.
    kind = next((kind for kind in HEADERS if kind.may_contain_header(start)), None)
    if kind is None or not any(start[kind.sizeof_hdr :][:1]):
        return 0
    header = kind(start[: kind.sizeof_hdr], check=False)
    order, offset, end = header.endianness, float(header["vox_offset"]), kind.sizeof_hdr + 4
    for _ in range(MAX_EXTENSIONS):
        # nibabel reads to the end of the file if the offset is 0, or a length is negative.
        if (offset > 0 and end + 16 > offset) or end > MAX_HEADER:
            return int(end)
        file.seek(end)
        length = struct.unpack(f"{order}i", file.read(4))[0]
        end += length if length >= 8 else MAX_HEADER
    return MAX_HEADER + 1


def require_plausible_axes(image: Any, path: Path) -> None:
    """Refuse a CIFTI image whose header declares other grayordinates than it lists.

    To be called before it is loaded as CIFTI, which takes memory for what is declared.

    Parameters
    ----------
    image : Nifti2Image
        The image, loaded as if it were NIfTI.
    path : Path
        Its file.

    Raises
    ------
    ScanError
    """
    extensions = [item for item in image.header.extensions if item.get_code() == CIFTI_EXTENSION]
    for indices in [part for item in extensions for part in item.get_content().matrix]:
        total = 0
        for model in indices.brain_models:
            is_surface = model.model_type == "CIFTI_MODEL_TYPE_SURFACE"
            listed = len((model.vertex_indices if is_surface else model.voxel_indices_ijk) or ())
            if model.index_count != listed:
                raise ScanError(
                    f"{path.name} declares {model.index_count:,} grayordinates of "
                    f"{shown(model.brain_structure)}, but lists {listed:,}"
                )
            total += listed
        if total and total not in image.shape[4:]:
            shape = " × ".join(map(str, image.shape[4:]))
            raise ScanError(f"{path.name} has {shape} values, but lists {total:,} grayordinates")


def require_plausible_volumes(image: Any, path: Path) -> None:
    """Refuse an image whose header declares what no scanner makes, or the file cannot hold.

    Parameters
    ----------
    image : nibabel image
    path : Path
        Its file.

    Raises
    ------
    ScanError
    """
    require_at_most(image.shape[:3], MAX_VOXELS, path.name)
    declared = math.prod(int(n) for n in image.shape) * image.get_data_dtype().itemsize
    if declared > MAX_RUN or declared > path.stat().st_size * MAX_RATIO:
        raise ScanError(
            f"{path.name} declares {declared / GB:,.1f} GB (shape {image.shape}), which is not "
            f"plausible for a file of {path.stat().st_size:,} bytes"
        )


def require_plausible_array(path: Path) -> None:
    """Refuse a ``.npy`` file that declares too many values.

    Raises
    ------
    ScanError
    ValueError
        When it is no such file.
    """
    with path.open("rb") as file:
        version = np.lib.format.read_magic(file)
        read = {
            (1, 0): np.lib.format.read_array_header_1_0,
            (2, 0): np.lib.format.read_array_header_2_0,
        }.get(version)
        if read is not None:  # NumPy reads other versions only for names that are not Latin
            shape, _, dtype = read(file)
            require_at_most((*shape, math.ceil(dtype.itemsize / 8)), MAX_TABLE, path.name)


def require_plausible_parquet(path: Path, columns: Sequence[str]) -> None:
    """Refuse a Parquet file that declares too many rows, or too much in the columns to be read.

    Parameters
    ----------
    path : Path
    columns : sequence of str
        Of a list column, each row group is read by itself; other columns are read as a whole.

    Raises
    ------
    ScanError
        Also when it is no Parquet file, or lacks a column.
    """
    import pyarrow as pa
    import pyarrow.parquet as pq

    try:
        file = pq.ParquetFile(path)
    except (pa.ArrowException, OSError) as error:
        raise ScanError(f"{path.name} is not a readable Parquet file ({error})") from error
    lacking = set(columns) - set(file.schema_arrow.names)
    if lacking:
        raise ScanError(f"{path.name} has no column {', '.join(sorted(lacking))}")
    require_at_most((file.metadata.num_rows,), MAX_ROWS, path.name)
    texts: dict[str, list[tuple[int, int]]] = {}
    for group in range(file.num_row_groups):
        row_group = file.metadata.row_group(group)
        for number in range(row_group.num_columns):
            column = row_group.column(number)
            name = column.path_in_schema.split(".")[0]
            if name in columns:
                # Few bytes may stand for many values that are equal.
                size = max(column.num_values, column.total_uncompressed_size // 8)
                require_at_most((size,), MAX_TABLE, path.name)
                if column.physical_type in ("BYTE_ARRAY", "FIXED_LEN_BYTE_ARRAY"):
                    sizes = (column.num_values, column.total_uncompressed_size)
                    texts.setdefault(column.path_in_schema, []).append(sizes)
    for name, chunks in texts.items():
        _require_short_text(file, name, chunks, path)


def _require_short_text(
    file: Any, column: str, chunks: Sequence[tuple[int, int]], path: Path
) -> None:
    """Refuse a column of text that is much longer than its file: a long text may stand there once.

    The number of values and the stored bytes of each chunk are given; no value is longer than
    these. Only where that leaves a doubt, the column is read, and few values at a time.
    """
    if "." in column:
        raise ScanError(f"{path.name} has text in the lists of {shown(column.split('.')[0])}")
    if sum(count * size for count, size in chunks) <= MAX_TEXT:
        return
    rows = min(max(MAX_TEXT // max(size for _, size in chunks), 1), MAX_SLICE)
    total = 0
    for batch in file.iter_batches(rows, columns=[column], use_threads=False):
        values = batch.column(0)
        # A dictionary that the schema asks for becomes text later.
        is_dictionary = hasattr(values, "dictionary_decode")
        total += (values.dictionary_decode() if is_dictionary else values).nbytes
        if total > MAX_TEXT:
            raise ScanError(
                f"{path.name} has more than {MAX_TEXT // 10**6} MB of text under {shown(column)}"
            )
