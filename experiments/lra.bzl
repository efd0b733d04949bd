"""lra_experiment: a target for one method on one Long Range Arena task."""

def _lra_experiment_impl(ctx):
    launcher = ctx.actions.declare_file(ctx.label.name)
    ctx.actions.write(launcher, """#!/usr/bin/env bash
exec "${{RUNFILES_DIR:-$0.runfiles}}/{program}" --task={task} --method={method} "$@"
""".format(
        program = ctx.workspace_name + "/" + ctx.executable._program.short_path,
        task = ctx.attr.task,
        method = ctx.attr.method,
    ), is_executable = True)
    return DefaultInfo(
        executable = launcher,
        runfiles = ctx.attr._program[DefaultInfo].default_runfiles,
    )

_lra_experiment = rule(
    implementation = _lra_experiment_impl,
    executable = True,
    attrs = {
        "method": attr.string(mandatory = True),
        "task": attr.string(mandatory = True),
        "_program": attr.label(
            cfg = "target",
            default = "//experiments:lra",
            executable = True,
        ),
    },
    doc = "Starts the one LRA program with a task and a method: no second binary is linked.",
)

def lra_experiments(tasks, methods):
    """//experiments:lra_<task>_<method> for every pair."""
    for task in tasks:
        for method in methods:
            _lra_experiment(
                name = "lra_{}_{}".format(task, method),
                task = task,
                method = method,
                visibility = ["//tools/documents:__pkg__"],
            )
