"""The web app: pages for people, on the same use cases as the API. The README tells how a page is written."""
