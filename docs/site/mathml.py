"""Formulas as MathML, which browsers draw themselves: no script, no font, no network."""

from html import escape

from docutils.nodes import Element, SkipNode
from docutils.utils.math import MathError
from docutils.utils.math.latex2mathml import tex2mathml
from sphinx.util.logging import getLogger

log = getLogger(__name__)


def inline(writer: object, node: Element) -> None:
    """Write a formula within a line."""
    writer.body.append(drawn(node, as_block=False))
    raise SkipNode


def block(writer: object, node: Element) -> None:
    """Write a formula on a line of its own."""
    writer.body.append(f'<div class="formula">{drawn(node, as_block=True)}</div>')
    raise SkipNode


def drawn(node: Element, as_block: bool) -> str:
    """Return a formula as MathML; warn of one that docutils cannot read."""
    try:
        return tex2mathml(node.astext(), as_block=as_block)
    except MathError as error:
        log.warning("formula %r: %s", node.astext(), error, location=node)
        return escape(node.astext())


def setup(app: object) -> dict[str, bool]:
    """Be called by Sphinx."""
    app.add_html_math_renderer("mathml", (inline, None), (block, None))
    return {"parallel_read_safe": True, "parallel_write_safe": True}
