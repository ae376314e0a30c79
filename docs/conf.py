"""Sphinx: `make docs`. The source folder is the whole checkout, so that README, the figures' pages and the manual are
pages at the places they have there, and every relative link between them is one that a build checks.
"""

import sys
from importlib.metadata import version as version_of
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parent))  # for generated.py

project = "forensics"
author = "the authors of forensics"
version = release = version_of("forensics")

extensions = ["myst_parser", "sphinx.ext.autodoc", "generated"]
root_doc = "docs/index"
include_patterns = [
    *("README.md", "CONTRIBUTING.md", "CHANGELOG.md", "docs/*.md"),
    *("tests/real/*.md", "tests/hostile/*.md", "bench/*.md", "forensics/data/*.md"),
]
# Folders that are not walked: what is built, and evidence.
exclude_patterns = [".*", "build", "case", "samples", "**/__pycache__"]
nitpicky = True
nitpick_ignore_regex = [
    # Types of other packages: their manuals are not fetched, so nothing could be linked to.
    (r"py:.*", r"(?!forensics\b).*"),
    # Settings of the parts: each report lists them with unit and source.
    (r"py:class", r"forensics\..*\.Settings"),
    # Parts of an Examination that scripts read from findings.json.
    (r"py:class", r"forensics\.(controls|references)\..*"),
]
# The printed pages go from # to ### where a table needs no chapter.
suppress_warnings = ["myst.header"]

# Links such as README.md#figures.
myst_heading_anchors = 4

autodoc_member_order = "bysource"
autodoc_preserve_defaults = True
autodoc_typehints_format = "short"
python_maximum_signature_line_length = 100

smartquotes = False  # -- is an option here, no dash

html_theme = "alabaster"
html_theme_options = {
    "description": "what can be measured of a recording of a speaking person",
    "fixed_sidebar": True,
    "page_width": "76rem",
    "sidebar_width": "15rem",
    "show_powered_by": False,
}
html_sidebars = {"**": ["about.html", "searchfield.html", "navigation.html"]}
html_title = f"forensics {version}"
html_static_path = ["style.css"]
html_css_files = ["style.css"]
html_extra_path = ["index.html"]  # leads from the folder's top to docs/index.html
html_copy_source = False
html_show_copyright = False
