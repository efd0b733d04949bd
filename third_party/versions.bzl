"""Reads versions.env in a repository rule."""

def read_versions(repository_ctx):
    """The pins of third_party/versions.env as a dict."""
    content = repository_ctx.read(Label("//third_party:versions.env"))
    lines = [line.strip() for line in content.split("\n")]
    pairs = [line.split("=", 1) for line in lines if line and not line.startswith("#")]
    return {key: value for key, value in pairs}
