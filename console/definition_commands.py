"""The commands on definitions: apply, diff, validate and export folders; the history of a document, and who refers to it."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer
from typer.core import TyperGroup

from console.session import Session, connected

Folder = Annotated[Path, typer.Argument(help="Folder of YAML files (searched to the bottom), or one file.")]
SourceName = Annotated[str | None, typer.Option("--source", help="Name of the bundle; default: the folder's.")]
Prune = Annotated[
    bool, typer.Option("--prune", help="Also delete what was applied under this source and is missing here.")
]
Kind = Annotated[str, typer.Argument(help="Kind of the document, such as campaign.")]
Key = Annotated[str, typer.Argument(help="Key or id of the document.")]
DryRun = Annotated[bool, typer.Option("--dry-run", help="Say what would change and write nothing.")]


class DefinitionsFirst(TyperGroup):
    """The group `export`, in which `definitions` is what is exported where nothing else is named."""

    def parse_args(self, ctx: typer.Context, args: list[str]) -> list[str]:  # type: ignore[override]
        """Name what is exported where only options are given."""
        if not args or (args[0].startswith("-") and args[0] != "--help"):
            args = ["definitions", *args]
        return super().parse_args(ctx, args)


def add_to(app: typer.Typer, export: typer.Typer) -> None:
    """Add the commands to the command line, and to the group `export`."""
    app.command("apply")(apply_documents)
    app.command("diff")(diff)
    app.command("validate")(validate)
    app.command("revisions")(revisions)
    app.command("restore")(restore)
    app.command("used-by")(used_by)
    export.command("definitions")(export_definitions)


@connected
def apply_documents(
    session: Session,
    *,
    folder: Folder,
    dry_run: DryRun = False,
    source: SourceName = None,
    prune: Prune = False,
    yes: Annotated[bool, typer.Option("--yes", "-y", help="Do not ask before --prune deletes.")] = False,
    wait: Annotated[bool, typer.Option("--wait", help="Return when segments are built.")] = False,
) -> None:
    """Create or update every document of a folder, all or none."""
    from console.applying import Bundle, apply_folder

    bundle = Bundle.of(folder, source, prune=prune)
    raise typer.Exit(apply_folder(session, bundle, dry_run=dry_run, yes=yes, wait=wait))


@connected
def diff(session: Session, folder: Folder, source: SourceName = None, prune: Prune = False) -> None:
    """Show what applying a folder would change; status 0: nothing, 2: something, 1: it could not be applied."""
    from console.applying import Bundle, diff_folder

    raise typer.Exit(diff_folder(session, Bundle.of(folder, source, prune=prune)))


@connected
def validate(session: Session, folder: Folder) -> None:
    """Report everything wrong with the documents of a folder; writes nothing."""
    from console.applying import validate_folder

    raise typer.Exit(validate_folder(session, folder))


@connected
def export_definitions(
    session: Session,
    *,
    kind: Annotated[
        list[str] | None, typer.Option("--kind", help="Only this kind; may be given several times.")
    ] = None,
    source: Annotated[
        str | None, typer.Option("--source", help="Only what was applied last under this source.")
    ] = None,
    to: Annotated[
        Path | None, typer.Option("--to", help="Folder for one file each, KIND/KEY.yaml; default: print all.")
    ] = None,
    full: Annotated[bool, typer.Option("--full", help="With every field, those at their defaults included.")] = False,
) -> None:
    """Export definitions as YAML that can be applied again; secrets come out as ********."""
    from console.exporting import export_bundle

    export_bundle(session, kinds=kind or [], source=source, to=to, view="full" if full else "compact")


@connected
def revisions(
    session: Session,
    *,
    kind: Kind,
    key: Key,
    revision: Annotated[int | None, typer.Argument(help="Show the document as it was at this revision.")] = None,
    limit: Annotated[int, typer.Option("--limit", min=1, max=10_000, help="At most so many.")] = 50,
) -> None:
    """Show the history of a document, newest first, or the document as it was once."""
    from console import history

    if revision is None:
        history.show(session, kind, key, limit)
    else:
        history.show_one(session, kind, key, revision)


@connected
def restore(
    session: Session,
    *,
    kind: Kind,
    key: Key,
    revision: Annotated[int, typer.Argument(help="Number of the revision, as `sojourn revisions` shows it.")],
    dry_run: DryRun = False,
) -> None:
    """Put a document back as it was at a revision; that is a change like any other, with a revision of its own."""
    from console import history

    history.restore(session, kind, key, revision, dry_run=dry_run)


@connected
def used_by(session: Session, kind: Kind, key: Key) -> None:
    """Show what refers to a document, and so keeps it from being deleted."""
    from console import history

    history.used_by(session, kind, key)


__all__ = ["DefinitionsFirst", "add_to"]
