# SPDX-License-Identifier: Apache-2.0
"""Seconds over requests, both logarithmic, a line a way, as SVG."""

import math

WIDTH, HEIGHT, LEFT, TOP = 560.0, 320.0, 70.0, 40.0
COLOURS = ["#777777", "#7570b3", "#d95f02"]


def svg(spent):
    """spent is {way: [seconds until the first answer, until the second, ...]}."""
    count = max(2, *(len(s) for s in spent.values()))
    low = 10 ** math.floor(math.log10(min(min(s) for s in spent.values())))
    high = 10 ** math.ceil(math.log10(max(max(s) for s in spent.values())))

    def x(requests):
        return LEFT + WIDTH * math.log10(requests) / math.log10(count)

    def y(seconds):
        return TOP + HEIGHT * (1 - math.log10(seconds / low) / math.log10(high / low))

    parts = [
        f'<svg xmlns="http://www.w3.org/2000/svg" width="{LEFT + WIDTH + 230:.0f}" '
        f'height="{TOP + HEIGHT + 50:.0f}" font-family="sans-serif" font-size="12">',
        '<rect width="100%" height="100%" fill="white"/>',
        text(LEFT, 24, "time until N requests are answered, each in a sandbox"),
    ]
    for n in ticks(count):
        parts.append(f'<path d="M{x(n):.1f} {TOP}V{TOP + HEIGHT}" stroke="#dddddd"/>')
        parts.append(text(x(n), TOP + HEIGHT + 20, f"{n}", "middle"))
    for seconds in decades(low, high):
        parts.append(f'<path d="M{LEFT} {y(seconds):.1f}H{LEFT + WIDTH}" stroke="#dddddd"/>')
        parts.append(text(LEFT - 8, y(seconds) + 4, f"{seconds:g} s", "end"))
    for (way, values), colour in zip(spent.items(), COLOURS):
        points = " ".join(f"{x(n):.1f},{y(s):.1f}" for n, s in enumerate(values, 1))
        parts.append(f'<polyline points="{points}" fill="none" stroke="{colour}" stroke-width="2"/>')
        parts.append(text(x(len(values)) + 8, y(values[-1]) + 4, way, colour=colour))
    return "\n".join([*parts, "</svg>", ""])


def ticks(count):
    return [n for e in range(4) for n in (10**e, 3 * 10**e) if n <= count]


def decades(low, high):
    steps = round(math.log10(high / low))
    return [low * 10**step for step in range(steps + 1)]


def text(x, y, words, anchor="start", colour="black"):
    return f'<text x="{x:.1f}" y="{y:.1f}" text-anchor="{anchor}" fill="{colour}">{words}</text>'
