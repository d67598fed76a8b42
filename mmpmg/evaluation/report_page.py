"""The report's HTML: one file, no script, nothing fetched from anywhere."""

from __future__ import annotations

from typing import Any

from jinja2 import Environment, StrictUndefined

from mmpmg import typed

STYLE = """
:root { color-scheme: light dark;
  --ink: #1f2328; --soft: #59636e; --line: #d8dce2; --paper: #ffffff; --panel: #f6f8fa;
  --accent: #0b62a8; --warn: #8a4b00; --warn-paper: #fff4e0; }
@media (prefers-color-scheme: dark) { :root {
  --ink: #e6e9ee; --soft: #a6adb8; --line: #3a424e; --paper: #14181e; --panel: #1c222b;
  --accent: #6cb8f5; --warn: #ffcf8a; --warn-paper: #3a2a12; } }
* { box-sizing: border-box; }
body { margin: 0 auto; max-width: 68rem; padding: 1.5rem 1rem 4rem; background: var(--paper);
  color: var(--ink); font: 1rem/1.5 system-ui, -apple-system, "Segoe UI", sans-serif; }
h1 { font-size: 1.6rem; line-height: 1.25; margin: 0 0 .25rem; }
h2 { font-size: 1.2rem; margin: 2.5rem 0 .6rem; padding-bottom: .25rem;
  border-bottom: 1px solid var(--line); }
h3 { font-size: 1rem; margin: 1.4rem 0 .4rem; }
p { max-width: 46rem; margin: .5rem 0; }
.soft { color: var(--soft); font-size: .9rem; }
nav { display: flex; flex-wrap: wrap; gap: .2rem 1rem; margin: .8rem 0 0; }
a { color: var(--accent); }
code { font: .87em ui-monospace, "Cascadia Mono", Menlo, monospace; overflow-wrap: anywhere; }
.wide { overflow-x: auto; border: 1px solid var(--line); border-radius: 6px; }
table { border-collapse: collapse; width: 100%; font-size: .9rem;
  font-variant-numeric: tabular-nums; }
th, td { text-align: left; padding: .4rem .7rem; vertical-align: top;
  border-bottom: 1px solid var(--line); }
th { background: var(--panel); font-weight: 600; white-space: nowrap; }
tbody tr:last-child td { border-bottom: 0; }
td.number, th.number { text-align: right; white-space: nowrap; }
td.missing { color: var(--soft); }
.differences td code, .numbers td code { white-space: nowrap; }
ul.problems { background: var(--warn-paper); color: var(--warn); border-radius: 6px;
  padding: .7rem .7rem .7rem 1.9rem; margin: .8rem 0; }
.environment td { white-space: nowrap; }
ul.problems li { overflow-wrap: anywhere; }
figure { margin: 1rem 0; }
figcaption { color: var(--soft); font-size: .9rem; margin-top: .3rem; overflow-wrap: anywhere; }
.charts { display: grid; grid-template-columns: repeat(auto-fit, minmax(min(100%, 28rem), 1fr));
  gap: 0 1.5rem; }
.chart { margin: .5rem 0; }
.chart img { display: block; width: 100%; max-width: 40rem; height: auto; }
.picture { overflow-x: auto; }
.picture img { display: block; max-width: 100%; min-width: min(100%, 46rem); height: auto;
  border-radius: 4px; }
details { margin: .8rem 0; }
summary { cursor: pointer; color: var(--accent); }
footer { margin-top: 3rem; color: var(--soft); font-size: .85rem; }
@media (max-width: 42rem) {
  .picture img { min-width: 44rem; max-width: none; }
  .differences td code, .numbers td code { white-space: normal; }
  table.runs thead { display: none; }
  table.runs, table.runs tbody, table.runs tr, table.runs td { display: block; width: 100%; }
  table.runs tr { padding: .5rem 0; border-bottom: 1px solid var(--line); }
  table.runs tbody tr:last-child { border-bottom: 0; }
  table.runs td, table.runs td.number { display: flex; gap: .8rem; border: 0; text-align: left;
    padding: .12rem .7rem; white-space: normal; }
  table.runs td::before { content: attr(data-label); color: var(--soft); flex: 0 0 6.6rem; }
  table.runs td.run { font-weight: 600; }
}
@media print {
  body { max-width: none; padding: 0; font-size: 10pt; }
  nav { display: none; }
  .wide, .picture { overflow: visible; }
  .picture img { min-width: 0; max-width: 100%; }
  @page { margin: 14mm; }
  .wide { border: 0; }
  table { font-size: 7.5pt; }
  th, td, td.number, th.number, .environment td { padding: .2rem .3rem; white-space: normal;
    overflow-wrap: anywhere; }
  th.number, td.number { overflow-wrap: normal; }
  .differences td code, .numbers td code { white-space: normal; }
  table.differences { table-layout: fixed; }
  .charts { grid-template-columns: 1fr 1fr; }
  .classes .chart img { max-width: 100%; max-height: 24cm; width: auto; }
  figure, tr { break-inside: avoid; }
  h2, h3 { break-after: avoid; }
  a { color: inherit; text-decoration: none; }
}
"""

PAGE = """<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta http-equiv="Content-Security-Policy"
  content="default-src 'none'; img-src data:; style-src 'unsafe-inline'">
<link rel="icon" href="data:,">
<title>{{ title }}</title>
<style>{{ style }}</style>
</head>
<body>
{%- macro cell(value, label, kind="number") %}
<td class="{{ kind }}{{ ' missing' if not value }}" data-label="{{ label }}">
{{- value or "—" }}</td>
{%- endmacro %}
{%- macro chart(image, caption) %}
<figure class="chart"><picture>
<source media="print" srcset="{{ image.light }}">
<source media="(prefers-color-scheme: dark)" srcset="{{ image.dark }}">
<img src="{{ image.light }}" alt="{{ caption }}"></picture></figure>
{%- endmacro %}
{%- macro papers(rows) %}
<div class="wide"><table class="numbers">
<thead><tr><th>fine-tuning</th><th>pre-training</th><th>where</th>
<th class="number">paper</th><th class="number">ours</th></tr></thead>
<tbody>{% for row in rows %}
<tr><td><code>{{ row.recipe }}</code></td><td><code>{{ row.pretraining }}</code></td>
<td>{{ row.source }}</td><td class="number">{{ row.paper }}</td>
<td class="number{{ ' missing' if row.ours == 'not run' }}">{{ row.ours }}</td></tr>
{%- endfor %}</tbody></table></div>
{%- endmacro %}
<header>
<h1>{{ title }}</h1>
<p class="soft">{{ runs|length }} run{{ "s" if runs|length != 1 }}, read {{ facts.date }}
by mmpmg {{ facts.version }}, commit {{ facts.commit }}.</p>
<nav>{% for section in sections %}<a href="#{{ section[0] }}">{{ section[1] }}</a>
{% endfor %}</nav>
</header>
{% if problems %}
<ul class="problems">{% for problem in problems %}
<li><b>{{ problem[0] }}</b>: {{ problem[1] }}</li>{% endfor %}</ul>
{% endif %}
<main>
<h2 id="runs">Runs</h2>
{% if tuned %}
<div class="wide"><table class="runs tuned">
<thead><tr><th>run</th><th>recipe</th><th>pre-training</th><th class="number">epochs</th>
<th class="number">best</th><th class="number">last</th><th class="number">test</th>
<th class="number">paper</th><th>began</th></tr></thead>
<tbody>{% for row in tuned %}
<tr>{{ cell(row.name, "run", "run") }}{{ cell(row.recipe, "recipe", "name") }}
{{- cell(row.loaded, "pre-training", "name") }}{{ cell(row.epochs, "epochs") }}
{{- cell(row.best, "best") }}{{ cell(row.last, "last") }}{{ cell(row.tested, "test") }}
{{- cell(row.paper, "paper") }}{{ cell(row.date, "began", "date") }}</tr>
{%- endfor %}</tbody></table></div>
<p class="soft">Top-1 accuracy in percent: best and last epoch of validation, and the last test in
the same folder, with all its views. The paper's number stands where its tables have this recipe
with this pre-training.{% if changed %} * other than the recipe as it is now, see
<a href="#changes">below</a>.{% endif %}</p>
{% endif %}
{% if pretrained %}
<h3>Pre-training</h3>
<div class="wide"><table class="runs pretrained">
<thead><tr><th>run</th><th>recipe</th><th class="number">epochs</th><th class="number">images</th>
<th class="number">first loss</th><th class="number">last loss</th><th>began</th></tr></thead>
<tbody>{% for row in pretrained %}
<tr>{{ cell(row.name, "run", "run") }}{{ cell(row.recipe, "recipe", "name") }}
{{- cell(row.epochs, "epochs") }}{{ cell(row.images, "images") }}
{{- cell(row.first_loss, "first loss") }}{{ cell(row.last_loss, "last loss") }}
{{- cell(row.date, "began", "date") }}</tr>
{%- endfor %}</tbody></table></div>
{% endif %}
{% if not tuned and not pretrained %}<p>None of these folders holds a run that can be read.</p>
{% endif %}

<h2 id="paper">The paper's numbers beside ours</h2>
{% if paper_rows %}{{ papers(paper_rows) }}
<p class="soft">Ours is the last test; (val) is the last validation, with one view of each video,
where nothing was tested since the training; "epoch" marks runs that have not ended.</p>{% else %}
<p>None of these recipes stands in the paper's tables.</p>{% endif %}
<details><summary>All {{ paper_all|length }} numbers of its tables (open it before printing to
print them)</summary>
{{ papers(paper_all) }}</details>

{% if curves %}<h2 id="curves">Curves</h2>
<div class="charts">{% for heading, image in curves.items() %}
<section><h3>{{ heading }}</h3>{{ chart(image, heading) }}</section>{% endfor %}</div>{% endif %}
{% if axes %}<h2 id="axes">Accuracy over what was changed</h2>
<div class="charts">{% for heading, image in axes.items() %}
<section><h3>{{ heading }}</h3>{{ chart(image, heading) }}</section>{% endfor %}</div>{% endif %}

<h2 id="reconstructions">Reconstructions</h2>
{% for picture in pictures %}
<figure><div class="picture"><img src="{{ picture.data }}" alt="{{ picture.caption }}"></div>
<figcaption>{{ picture.caption }}</figcaption></figure>
{% else %}<p>None was drawn. <code>custom_hooks</code> with <code>ReconstructionHook</code> draws
them while training, <code>{{ visualize }} RECIPE --checkpoint CKPT --work-dir WORK_DIR</code>
afterwards.</p>{% endfor %}

<h2 id="classes">Accuracy of every class</h2>
{% if classes %}
<div class="classes">{{ chart(classes.image, "Accuracy of every class") }}</div>
<p><a download="classes.csv" href="{{ classes.link }}">The table as CSV</a></p>
{% endif %}
{% for sentence in class_notes %}<p>{{ sentence }}</p>{% endfor %}

<h2 id="changes">What differs</h2>
{% if changed %}<h3>Other than in the recipes as they are now</h3>
<ul>{% for name, keys in changed.items() %}<li><b>{{ name }}</b>:
{% for key in keys %}<code>{{ key }}</code>{{ ", " if not loop.last }}{% endfor %}</li>
{% endfor %}</ul>{% endif %}
{% for group in differences %}<h3>{{ group.heading }}</h3>
{% if group.rows %}<div class="wide"><table class="differences">
<thead><tr><th>key</th>{% for name in group.names %}<th>{{ name }}</th>{% endfor %}</tr></thead>
<tbody>{% for key, values in group.rows.items() %}<tr><td><code>{{ key }}</code></td>
{% for value in values %}<td><code>{{ value }}</code></td>{% endfor %}</tr>
{%- endfor %}</tbody></table></div>
{% else %}<p>Nothing: they ran the same config, from the same start.</p>{% endif %}{% else %}
<p>Two runs of a kind are needed for a comparison of configs.</p>{% endfor %}

<h2 id="environment">Environment</h2>
<div class="wide"><table class="environment">
<thead><tr><th>run</th><th>began</th>{% for key in environment_keys %}<th>{{ key }}</th>
{%- endfor %}</tr></thead>
<tbody>{% for row in environment %}<tr>{% for value in row %}<td>{{ value or "—" }}</td>
{%- endfor %}</tr>{% endfor %}</tbody></table></div>
<p class="soft">This page was made on {{ facts.machine }} with {{ facts.versions }}.</p>
</main>
<footer>Made by <code>{{ facts.command }}</code>. The page holds everything it shows.</footer>
</body>
</html>
"""


def render_page(content: dict[str, Any]) -> str:
    """Fill in the page; every text is escaped, and a name that is missing raises.

    Args:
        content: What :func:`mmpmg.evaluation.report.report_content` returns.

    Returns:
        The page.
    """
    environment = Environment(autoescape=True, undefined=StrictUndefined, trim_blocks=True)
    # The style is ours and holds quotes, which escaping would break.
    page = PAGE.replace("{{ style }}", STYLE)
    return environment.from_string(page).render(visualize=typed.tool("visualize.py"), **content)
