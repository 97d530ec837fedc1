"""The Pipelines API: messages in the shapes of the vendor's and of Segment's libraries (API-17 to API-35)."""
