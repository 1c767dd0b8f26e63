"""Writes masks as data sets do, by the plainest loop there is; knows nothing of the readers."""


def runs(mask):
    """(start from 0, length) of every run, down the columns."""
    height, width = mask.shape
    found, start = [], None
    for at in range(height * width + 1):
        inside = at < height * width and bool(mask[at % height, at // height])
        if inside and start is None:
            start = at
        if not inside and start is not None:
            found.append((start, at - start))
            start = None
    return found


def siim(mask):
    end, words = 0, []
    for start, length in runs(mask):
        words += [start - end, length]
        end = start + length
    return " ".join(map(str, words)) or "-1"


def kaggle(mask):
    return " ".join(f"{start + 1} {length}" for start, length in runs(mask))


def counts(mask):
    end, words = 0, []
    for start, length in runs(mask):
        words += [start - end, length]
        end = start + length
    return [*words, mask.size - end]
