"""How far a trigger is, in Markdown for operators who look at its workflow."""

from __future__ import annotations

from store.broadcasts import TriggerRow


def details_of(trigger: TriggerRow) -> str:
    """Its state, its place in its audience, its rate, what it waits for; nothing about anybody."""
    lines = [f"**Trigger {trigger.broadcast_id}-{trigger.trigger_no}**: {trigger.state}"]
    if trigger.recipients_count is not None:
        lines.append(f"- {trigger.position} of {trigger.recipients_count} recipients were seen to")
    elif "frozen" in trigger.progress:
        lines.append(f"- {trigger.progress['frozen']} recipients are known so far")
    if trigger.error_count:
        lines.append(f"- {trigger.error_count} errors")
    if trigger.send_rate is not None:
        lines.append(f"- at most {trigger.send_rate['limit']} a {trigger.send_rate['per']}")
    if trigger.paused:
        lines.append("- paused: nobody is seen to before somebody resumes it")
    if trigger.next_at is not None:
        lines.append(f"- goes on at {trigger.next_at.isoformat()}")
    return "\n".join(lines)


__all__ = ["details_of"]
