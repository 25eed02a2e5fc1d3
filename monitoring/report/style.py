"""How the page looks: on a screen and a phone, light and dark, and on paper.

Colours tell apart for colour-blind people what dashes and shapes tell apart as well; text has a
contrast of at least 4.5 to what is behind it.
"""

from __future__ import annotations

_LIGHT = """
--bg:#fff;--card:#f6f7f8;--fg:#1b1f23;--muted:#565d64;--line:#d5d9dd;--axis:#8a9097;
--ours:#0067a3;--popularity:#6b6f74;--random:#8d5a00;--planted:#d98e00;--concept:#c44e00;
--data:#00795c;--input_fault:#a2417f;--against:#b3402a;
"""
_DARK = """
--bg:#14171a;--card:#1d2125;--fg:#e9ecef;--muted:#aab2ba;--line:#373d43;--axis:#767e86;
--ours:#5db5f0;--popularity:#a9adb2;--random:#d8a64f;--planted:#e6b450;--concept:#ff8d52;
--data:#4fc7a1;--input_fault:#e59ccc;--against:#f08a72;
"""
STYLE = f"""
:root{{color-scheme:light dark;{_LIGHT}}}
@media screen and (prefers-color-scheme:dark){{:root{{{_DARK}}}}}
*{{box-sizing:border-box}}
html{{-webkit-text-size-adjust:100%;text-size-adjust:100%}}
body{{margin:0 auto;max-width:60rem;padding:1.5rem 1rem 3rem;background:var(--bg);color:var(--fg);
font:16px/1.5 system-ui,-apple-system,"Segoe UI",Roboto,"Noto Sans",Arial,sans-serif;
overflow-wrap:anywhere}}
h1{{font-size:1.7rem;line-height:1.2;margin:0 0 .3rem}}
h2{{font-size:1.25rem;margin:2.6rem 0 .6rem;padding-top:.8rem;border-top:1px solid var(--line)}}
h3{{font-size:1rem;margin:1.2rem 0 .2rem}}
p{{margin:.4rem 0 .8rem;max-width:46rem}}
.muted,.note,figcaption,small,caption,dt{{color:var(--muted)}}
.note,figcaption,footer{{font-size:.875rem}}
.verdict{{font-size:1.15rem}}
.tiles{{display:flex;flex-wrap:wrap;gap:.75rem;margin:1rem 0 0}}
.tiles div{{flex:1 1 9rem;background:var(--card);border-radius:.5rem;padding:.6rem .8rem}}
.tiles dt{{font-size:.8rem}}
.tiles dd{{margin:0;font-size:1.35rem;font-variant-numeric:tabular-nums}}
.tiles small{{font-size:.8rem;display:block;line-height:1.3}}
figure{{margin:0}}
figcaption{{margin:.3rem 0 .8rem;max-width:46rem}}
svg{{display:block;width:100%}}
.plot{{height:auto}}
.plot text{{font-size:12px;fill:var(--muted)}}
.plot .small{{font-size:11px}}
.plot g .small{{fill:var(--fg)}}
.end{{text-anchor:end}}.middle{{text-anchor:middle}}
.narrow{{display:none}}
.grid{{stroke:var(--line)}}.axis{{stroke:var(--axis)}}
.curve{{fill:none;stroke:var(--c);stroke-width:2;stroke-linejoin:round}}
.popularity.curve{{stroke-width:1.6;stroke-dasharray:6 3}}
.random.curve{{stroke-width:1.6;stroke-dasharray:1.5 3}}
.band{{fill:var(--c);opacity:.2}}.popularity.band{{opacity:.13}}
.dot,.mark{{fill:var(--c)}}
.shade{{fill:var(--c);opacity:.15}}
.noticed{{stroke:var(--c);stroke-dasharray:4 3}}
.lane{{fill:var(--c);opacity:.3}}
.hint{{fill:transparent;stroke:none}}
.hint:hover{{fill:var(--fg);fill-opacity:.07}}
.range{{stroke:var(--c);stroke-width:3}}.tick{{stroke:var(--c);stroke-width:2.5}}
.ours{{--c:var(--ours)}}.popularity{{--c:var(--popularity)}}.random{{--c:var(--random)}}
.planted{{--c:var(--planted)}}.concept{{--c:var(--concept)}}.data{{--c:var(--data)}}
.input_fault{{--c:var(--input_fault)}}.bad{{--c:var(--concept)}}.mended{{--c:var(--ours)}}
.for{{--c:var(--ours)}}.against{{--c:var(--against)}}
.key{{list-style:none;display:flex;flex-wrap:wrap;gap:.2rem 1.1rem;padding:0;margin:.4rem 0;
font-size:.875rem}}
.swatch{{display:inline-block;width:1.3rem;height:.75rem;margin-right:.4rem;
border-top:3px solid var(--c)}}
.popularity.swatch{{border-top-style:dashed}}.random.swatch{{border-top-style:dotted}}
.planted.swatch,.concept.swatch,.data.swatch,.input_fault.swatch{{border:0;background:var(--c);
width:.75rem}}
.planted.swatch{{opacity:.5}}.concept.swatch{{clip-path:polygon(0 10%,100% 10%,50% 100%)}}
.data.swatch{{clip-path:polygon(50% 0,100% 50%,50% 100%,0 50%)}}
.scroll{{overflow-x:auto;margin:.4rem 0 .8rem}}
.scroll:focus-visible,summary:focus-visible{{outline:2px solid var(--ours);outline-offset:2px}}
table{{border-collapse:collapse;width:100%;font-size:.875rem}}
caption{{text-align:left;padding-bottom:.3rem}}
th,td{{overflow-wrap:break-word;text-align:left;padding:.28rem .7rem .28rem 0;
border-bottom:1px solid var(--line);font-weight:400;vertical-align:middle}}
thead th{{color:var(--muted);white-space:nowrap}}
tbody th{{min-width:7rem}}
td>span{{display:block;min-width:13rem}}
.n{{font-variant-numeric:tabular-nums;white-space:nowrap}}
.dots{{height:22px;min-width:9rem}}.bar{{height:16px;min-width:8rem}}
.bar rect,.strip rect{{fill:var(--c)}}
.strip{{height:30px;background:var(--card)}}.tall{{height:60px}}
.strips{{list-style:none;padding:0;margin:.6rem 0}}
.strips li{{display:grid;grid-template-columns:11rem 8rem 1fr 4.5rem;gap:.2rem .8rem;
align-items:center;padding:.25rem 0;font-size:.875rem}}
.count,.most{{font-variant-numeric:tabular-nums}}.most{{color:var(--muted)}}
.cards,.items{{padding:0;margin:.5rem 0;list-style:none}}
.cards>li{{background:var(--card);border-radius:.5rem;padding:.1rem .9rem .7rem;margin:.7rem 0;
break-inside:avoid}}
.cards h3 .muted{{font-weight:400}}
.cards p{{margin:.1rem 0}}
.cards dl{{display:grid;grid-template-columns:8rem minmax(0,1fr);gap:.15rem .8rem;margin:.5rem 0 0;
font-size:.875rem}}
.cards dd{{margin:0}}.line{{display:block}}
.items{{counter-reset:place}}
.items li{{counter-increment:place;display:grid;
grid-template-columns:1.6rem repeat(3,minmax(0,1fr));
gap:0 .8rem;padding:.3rem 0;border-bottom:1px solid var(--line);font-size:.9rem}}
.items li::before{{content:counter(place);color:var(--muted);grid-row:span 3}}
.why,.parts{{color:var(--muted)}}.parts{{font-size:.82rem}}
summary{{cursor:pointer;font-size:.9rem;margin:.4rem 0}}
code{{font:.85em ui-monospace,Consolas,"DejaVu Sans Mono",monospace}}
td code{{color:var(--muted)}}
footer{{margin-top:3rem;border-top:1px solid var(--line);padding-top:.8rem;color:var(--muted)}}
@media screen and (max-width:40rem){{
.wide{{display:none}}.narrow{{display:block}}
table{{font-size:.8rem}}th,td{{padding-right:.45rem}}tbody th{{min-width:5rem}}
.dots{{min-width:5.5rem}}.bar{{min-width:5rem}}
.strips li{{grid-template-columns:minmax(0,1fr) 5.5rem}}.strips .strip{{grid-column:1}}
.items li{{grid-template-columns:1.6rem minmax(0,1fr)}}.items li::before{{grid-row:span 3}}
.items li span{{grid-column:2}}
.cards dl{{grid-template-columns:1fr}}.cards dt{{margin-top:.3rem}}
}}
@media print{{
body{{max-width:none;padding:0;font-size:11pt}}
*{{print-color-adjust:exact;-webkit-print-color-adjust:exact}}
h2,h3,caption{{break-after:avoid}}
figure,article,tr,.strips li,.tiles{{break-inside:avoid}}
.scroll{{overflow:visible}}
details:not([open]){{display:none}}
}}
"""
