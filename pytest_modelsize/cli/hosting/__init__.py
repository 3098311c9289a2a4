"""Where pull requests are: what is asked of and sent to GitHub's and GitLab's REST APIs."""
