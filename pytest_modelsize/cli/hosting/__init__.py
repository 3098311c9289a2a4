"""Where pull requests are: what GitHub's and GitLab's REST APIs are asked and told."""
