"""Is the zoo what the recipes, the papers' numbers and the records make of it?"""

from __future__ import annotations

import difflib
import re
import time
from collections.abc import Collection, Iterator
from pathlib import Path

from mmengine.config import Config

from mmpmg.evaluation.progress import Say, silent
from mmpmg.evaluation.zoo.metafile import (
    INDEX,
    SIZE_KEYS,
    SizeOf,
    metafile_path,
    metafile_texts,
    read_entries,
    read_metafile,
    recipe_of_entry,
    stored_sizes,
)
from mmpmg.evaluation.zoo.methods import METHODS, zoo_recipes
from mmpmg.evaluation.zoo.model_size import ModelSize, model_size
from mmpmg.evaluation.zoo.records import (
    RECORDS,
    ZOO_PAGE,
    Records,
    file_problem,
    is_url,
    page_of,
    read_records,
    spellings,
)
from mmpmg.evaluation.zoo.tables import BEGIN, END, page_texts
from mmpmg.evaluation.zoo.weights import weights_problem
from mmpmg.evaluation.zoo.yaml_files import parse_metafile
from mmpmg.written_beside import written_beside

MEND = "type: tools/model_zoo.py --count"
COUNT = "type: tools/model_zoo.py"
"""Where sizes are wrong, models must be counted anew; elsewhere seconds are enough."""
LINK = re.compile(r"\[[^\]]*\]\(([^)#\s]+)")


def counting(root: Path, counted: Collection[str] | None = None, say: Say = silent) -> SizeOf:
    """Make a teller of sizes.

    Args:
        root: Of the repository.
        counted: Recipes whose models are built and counted; those of the others are taken from
            the metafiles, where these have them. None: all.
        say: Told what is being counted, and the seconds that the rest will take.

    Raises:
        ValueError: One of ``counted`` is no recipe of the zoo.
    """
    stored = {} if counted is None else stored_sizes(root)
    recipes = zoo_recipes(root)
    for name in counted or ():
        if name not in recipes:
            near = difflib.get_close_matches(name, recipes, n=3)
            raise ValueError(
                f"--count {name}: no such recipe in the zoo, whose names are FOLDER/NAME, such as "
                f"{', '.join(near or sorted(recipes)[:1])}"
            )
    total = sum(name not in stored or name in (counted or ()) for name in recipes)
    seen: list[str] = []  # reading a recipe takes its time too, whether its model is built or not
    done: list[str] = []
    start = time.monotonic()

    def size_of(recipe: str, config: Config) -> ModelSize:
        seen.append(recipe)
        if counted is not None and recipe not in counted and recipe in stored:
            return stored[recipe]
        done.append(recipe)
        left = (time.monotonic() - start) / len(seen) * (len(recipes) - len(seen) + 1)
        say(f"counting {len(done)} of {total}, some {left:.0f} s left: {recipe}")
        return model_size(config)

    return size_of


def zoo_texts(root: Path, size_of: SizeOf) -> dict[str, str]:
    """Write all that is generated, as text: metafiles, the index, the tables of pages.

    Args:
        root: Of the repository.
        size_of: Tells the sizes of models.

    Returns:
        Path from the root -> what the file must be.

    Raises:
        ValueError: ``zoo/records.yml`` or a recipe's name is not of its form.
    """
    metafiles = metafile_texts(root, read_records(root), size_of)
    return metafiles | page_texts(root, metafiles)


def write_zoo(root: Path, counted: Collection[str] | None = None, say: Say = silent) -> list[str]:
    """Write all that is generated, each file beside and then renamed.

    Args:
        root: Of the repository.
        counted: Recipes whose models are counted anew; None: all.
        say: Told how far it is.

    Returns:
        The files that changed.

    Raises:
        ValueError: See `zoo_texts`.
    """
    changed = []
    for place, text in zoo_texts(root, counting(root, counted, say)).items():
        path = root / place
        if path.is_file() and path.read_text(encoding="utf-8") == text:
            continue
        with written_beside(path) as unfinished:
            unfinished.write_text(text, encoding="utf-8")
        changed.append(place)
    return changed


def zoo_problems(
    root: Path, counted: Collection[str] | None = None, say: Say = silent
) -> list[str]:
    """Find what is wrong with the zoo.

    Args:
        root: Of the repository.
        counted: Recipes whose models are counted anew; None: all.
        say: Told how far it is.

    Returns:
        A sentence for each fault, with what mends it; none where all is well.
    """
    try:
        records = read_records(root)
        faults = [*_strangers(root), *_record_faults(root, records)]
        if faults:  # the rest would follow from these
            return faults
        texts = zoo_texts(root, counting(root, counted, say))
    except ValueError as error:
        return [str(error)]
    weights = filter(None, (weights_problem(root, item) for item in records.published))
    sizes = list(_size_faults(root, texts))
    return [*weights, *sizes, *_stale(root, texts, sized=bool(sizes)), *_dead_links(root)]


def _strangers(root: Path) -> Iterator[str]:
    """Entries without a recipe, recipes without an entry."""
    recipes = zoo_recipes(root)
    named = set()
    for method in METHODS:
        for entry in read_entries(root, method):
            recipe = recipe_of_entry(entry)
            named.add(recipe)
            if recipe not in recipes:
                yield (
                    f"{metafile_path(method)}: entry {entry.get('Name')} is of "
                    f"configs/{recipe}.py, which does not exist or is outside of the zoo; bring it "
                    f"back, or {MEND}"
                )
    for recipe in recipes:
        if recipe not in named:
            method = recipe.partition("/")[0]
            yield f"configs/{recipe}.py has no entry in {metafile_path(method)}; {MEND}"


def _record_faults(root: Path, records: Records) -> Iterator[str]:
    """Records of recipes that are not, numbers on no page, files that are not what they were."""
    recipes = {*zoo_recipes(root), "scratch", ""}
    named = [recipe for item in records.measurements for recipe in item.recipes]
    for result in records.results:
        named += [result.recipe, result.pretraining]
    for item in records.published:
        named += [item.recipe, item.pretraining]
    for recipe in sorted({name for name in named if name not in recipes}):
        yield f"{RECORDS}: there is no configs/{recipe}.py in the zoo; mend the name"
    rows: list[tuple[str, list[tuple[str, ...]]]] = [
        (result.row, [spellings(value) for value in result.metrics.values()])
        for result in records.results
    ]
    rows += [
        (item.row, [(re.split(r"[^\d.]", told)[0],)])
        for item in records.measurements
        for told in (item.memory, item.speed)
        if told
    ]
    for row, numbers in rows:
        if page_of(root, row, numbers) is None:
            told = ", ".join(number[0] for number in numbers)
            yield (
                f"{RECORDS}: no row of README.md or docs/ begins with {row!r} and has {told}; "
                "mend the record, or the page that tells the number"
            )
    for item in records.published:
        for file in item.files:
            if problem := file_problem(root, file):
                yield problem
        if item.log and not is_url(item.log) and not (root / item.log).is_file():
            yield f"{RECORDS}: Training Log {item.log} does not exist; put it there, or its URL"


def _size_faults(root: Path, texts: dict[str, str]) -> Iterator[str]:
    """Sizes in the metafiles that are not those of the models."""
    for method in METHODS:
        place = metafile_path(method)
        if place not in texts:
            continue
        stored = {entry["Name"]: entry for entry in read_entries(root, method)}
        for entry in parse_metafile(texts[place], place)["Models"]:
            old = stored.get(entry["Name"], {}).get("Metadata") or {}
            for key in SIZE_KEYS:
                now = entry["Metadata"].get(key)
                if entry["Name"] in stored and old.get(key) != now:
                    yield (
                        f"{place}: {entry['Name']} has {key} {old.get(key)}, and the model of "
                        f"{entry['Config']} has {now}; {COUNT}"
                    )


def _stale(root: Path, texts: dict[str, str], sized: bool) -> Iterator[str]:
    """Files that are not what would be written."""
    for place, text in texts.items():
        path = root / place
        found = path.read_text(encoding="utf-8") if path.is_file() else ""
        if found == text or (sized and place != INDEX):  # told already, by their sizes
            continue
        lines = difflib.unified_diff(found.splitlines(), text.splitlines(), n=0)
        first = next((line for line in lines if re.match(r"[-+](?![-+]{2} $)", line)), "")
        yield f"{place} is stale, from {first[:100]!r} on; {MEND}"
    page = root / ZOO_PAGE
    if not page.is_file() or not re.search(f"{BEGIN}.*{END}", page.read_text("utf-8"), re.S):
        yield f"{ZOO_PAGE} lacks the marks {BEGIN} and {END}, between which its tables stand"


def _dead_links(root: Path) -> Iterator[str]:
    """Places that metafiles and the zoo's page name and that are not there."""
    for method in METHODS:
        for about in read_metafile(root, method)["Collections"]:
            for key in ("README", "Code"):
                if not (root / str(about.get(key))).is_file():
                    yield (
                        f"{metafile_path(method)}: {key} {about.get(key)} does not exist; mend it "
                        f"in mmpmg/evaluation/zoo/methods.py, then {MEND}"
                    )
    page = root / ZOO_PAGE
    for target in LINK.findall(page.read_text(encoding="utf-8")) if page.is_file() else []:
        if not re.match(r"\w+:", target) and not (page.parent / target).exists():
            yield f"{ZOO_PAGE}: the link {target} leads nowhere; mend it there, or {MEND}"
