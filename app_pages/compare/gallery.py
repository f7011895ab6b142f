"""The gallery of compared faces, each with the answers of all versions beside it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from app_pages.compare.side_by_side import ComparedFace
from app_pages.shared.html import render
from app_pages.shared.pictures import png_url
from app_pages.shared.widgets import count
from fer import Prediction


def summary(faces: Sequence[ComparedFace], versions: int) -> str:
    """How often the versions agree, in words; faces that one of them left out do not count."""
    found = count(len(faces), "face")
    answered = [face for face in faces if len(face.answers) == versions]
    if versions < 2 or not answered:
        return f"{found} found."
    shared = answered[0].shared
    if not shared:
        return f"{found} found; there is no expression that all of these versions know."
    same = sum(face.agreed for face in answered)
    some = "Both" if versions == 2 else f"All {versions}"
    alike = all(len(answer.scores) == len(shared) for answer in answered[0].answers.values())
    among = "" if alike else f", among those that {some.lower()} know: {', '.join(shared)}"
    return (
        f"{some} versions give the same expression to {same} of {count(len(answered), 'face')}"
        f" ({same / len(answered):.0%}){among}."
    )


def gallery_html(faces: Sequence[ComparedFace], marks: Mapping[str, str]) -> str:
    """Each face with the answers beside it, as HTML; `marks` are the versions' signs by name."""
    return render("gallery.html", faces=[_face_values(face, marks) for face in faces])


def _face_values(face: ComparedFace, marks: Mapping[str, str]) -> dict[str, object]:
    """What the template needs of one face."""
    remarks = face.face.doubts if face.agreed else (*face.face.doubts, "they disagree")
    return {
        "title": f"{face.photo}, face {face.number}",
        "portrait": face.portrait,
        "remarks": remarks,
        "answers": [
            _answer_values(name, marks[name], answer) for name, answer in face.answers.items()
        ],
        "unanswered": [
            {"name": name, "mark": mark} for name, mark in marks.items() if name not in face.answers
        ],
    }


def _answer_values(name: str, mark: str, answer: Prediction) -> dict[str, object]:
    return {
        "version": name,
        "mark": mark,
        "crop": png_url(answer.crop),
        "label": answer.label,
        "labels": list(answer.scores),
        "score": answer.score,
        "uncertain": answer.uncertain,
    }
