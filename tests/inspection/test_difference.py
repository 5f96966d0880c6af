"""The difference of two derivations names exactly the equations that a changed term reaches."""

import pgmc


def machine(*, same_layer: bool, extra: bool = False) -> pgmc.Program:
    m = pgmc.Model("machine")
    v, h = m.binary("v", 3), m.binary("h", 2)
    W, b = m.param("W", (3, 2)), m.param("b", 3)
    m.energy(-(v @ W @ h) - b @ v)
    if extra:
        c = m.param("c", 2)
        m.energy(-(c @ h))
    if same_layer:
        R = m.param("R", (3, 3), zero_diagonal=True)
        m.energy(-(v @ R @ v))
    return pgmc.compile(m, backend="numpy")


def test_two_builds_of_one_specification_do_not_differ():
    difference = machine(same_layer=False).equations().diff(machine(same_layer=False).equations())
    assert not difference
    assert str(difference).startswith("unchanged: energy, v, h, ")


def test_a_new_term_changes_what_it_reaches():
    difference = machine(same_layer=False).equations().diff(machine(same_layer=False, extra=True).equations())
    assert [change.name for change in difference.changes] == [
        "energy",
        "h",
        "free_energy(h)",
        "free_energy(v)",
        "gradient(c)",
    ]
    assert "v" in difference.unchanged and "gradient(W)" in difference.unchanged
    assert "- P(h[j] = 1 | v) = σ(Σ_i W[i,j]·v[i])\n+ P(h[j] = 1 | v) = σ(Σ_i W[i,j]·v[i] + c[j])" in str(difference)


def test_what_becomes_intractable_is_shown():
    difference = machine(same_layer=False).equations().diff(machine(same_layer=True).equations())
    lines = str(difference).splitlines()
    assert any(line.startswith("- F(h) = ") for line in lines)
    assert any(line.startswith("+ free energy of") for line in lines)


def test_html_shows_both_sides():
    difference = machine(same_layer=False).equations().diff(machine(same_layer=False, extra=True).equations())
    html = difference._repr_html_()
    assert html.count("<tr>") == len(difference.changes)
    assert html.count("− ") == 4 and html.count("+ ") >= 5
