"""The model card of a version, filled from what was measured of it."""

from __future__ import annotations

from pathlib import Path

from huggingface_hub import EvalResult, ModelCard, ModelCardData

from fer import ModelVersion
from fer.versions.report import Report, SetReport

TEMPLATE = Path(__file__).with_name("model_card.md")


def render_card(version: ModelVersion, report: Report) -> str:
    """The text of the card; the template is Jinja2's, with words of others escaped for Markdown."""
    card_data = ModelCardData(
        model_name=version.name,
        library_name="keras",
        pipeline_tag="image-classification",
        license="apache-2.0",
        tags=["facial-expression-recognition", "litert"],
        datasets=list(report.test_sets),
        metrics=["accuracy", "f1"],
        eval_results=eval_results(report),
    )
    card = ModelCard.from_template(
        card_data,
        template_path=str(TEMPLATE),
        version=version,
        lineage=version.lineage,
        report=report,
        result_name=result_name,
        text=_text,
        code=_code,
    )
    return f"{card}\n"


def eval_results(report: Report) -> list[EvalResult]:
    """The results at the head of the card, which the Hub shows beside it."""
    return [
        EvalResult(
            task_type="image-classification",
            dataset_type=test_set,
            dataset_name=result_name(measured, labelling),
            dataset_config=labelling,
            dataset_split=measured.split,
            metric_type=kind,
            metric_value=round(estimate.value, 4),
            metric_name=name,
        )
        for test_set, measured in report.test_sets.items()
        for labelling, result in measured.labellings.items()
        for kind, name, estimate in (
            ("accuracy", "accuracy", result.accuracy),
            ("f1", "macro f1", result.macro_f1),
        )
    ]


def result_name(measured: SetReport, labelling: str) -> str:
    """A test set and whose labels count, in words."""
    name = f"{measured.title}, {measured.split}"
    return f"{name}, {labelling}" if len(measured.labellings) > 1 else name


def _text(value: object) -> str:
    """Words from outside that stay words in Markdown: no tag, link, code, column or line."""
    return "".join(
        f"&#{ord(c)};" if c in "&<>[]|`" or not c.isprintable() else c for c in str(value)
    )


def _code(value: object) -> str:
    """Words from outside between backticks."""
    return "".join("'" if c == "`" else c if c.isprintable() else " " for c in str(value))
