"""The text of the helpers that take a row of units apart into those of each colour."""

from __future__ import annotations

from pgmc.codegen.helper import Helper

# Both loops over pairs read or write every element of the row, so that LLVM moves whole vectors and sorts them in
# registers; a loop over every other element would move one at a time.
_DEAL = Helper(
    '''\
@helper
def deal(row, hands):
    """hands[j, k] = row[k * step + j], the step being the number of hands."""
    step, length = hands.shape[0], row.shape[0]
    if step == 2:
        even, odd = hands[0], hands[1]
        for k in range(length // 2):
            even[k], odd[k] = row[2 * k], row[2 * k + 1]
        if length % 2 == 1:
            even[length // 2] = row[length - 1]
    else:
        for j in range(step):
            for k in range((length - j + step - 1) // step):
                hands[j, k] = row[k * step + j]
''',
    ("helper",),
)

_COLLECT = Helper(
    '''\
@helper
def collect(hands, row):
    """row[k * step + j] = hands[j, k]: what ``deal`` dealt goes back."""
    step, length = hands.shape[0], row.shape[0]
    if step == 2:
        even, odd = hands[0], hands[1]
        for k in range(length // 2):
            row[2 * k], row[2 * k + 1] = even[k], odd[k]
        if length % 2 == 1:
            row[length - 1] = even[length // 2]
    else:
        for j in range(step):
            for k in range((length - j + step - 1) // step):
                row[k * step + j] = hands[j, k]
''',
    ("helper",),
)

ROWS = {"deal": _DEAL, "collect": _COLLECT}
