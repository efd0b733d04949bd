#!/usr/bin/env bash
# Run by Bazel before each build: what the manifests say about the source.
commit=$(git rev-parse HEAD 2>/dev/null) || commit=unknown
echo "STABLE_GIT_COMMIT $commit"
echo "STABLE_GIT_DIRTY $([[ -n $(git status --porcelain 2>/dev/null) ]] && echo 1 || echo 0)"
