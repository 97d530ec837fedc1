"""What the App API has beside what management shares with it: sends, broadcasts, their messages and figures."""
