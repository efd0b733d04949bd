"""Asks the experiment program what cells will be made on, before they are.

    where = ask.Where(programs, machine, print)
    cell = where.place(cell)     # on the data of its task, on this machine's device

For that the program reads, or makes, a task's data as a run does. So it is asked once a task.
"""

import json
import subprocess

import child
import methods
import origin as origins
from cells import BENCHMARK
from origin import CPU, Origin
from programs import error_of


class AskError(Exception):
    """Its text is for the user: what was asked, and what came of it; `said`: by the program alone."""

    def __init__(self, text, said=""):
        super().__init__(text)
        self.said = said


def _output(line, machine):
    try:
        process = child.start(line, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
                              errors="replace", env=machine.environment)
    except OSError as error:
        raise AskError(f"{line[0]}: {error.strerror}") from None
    with process:
        try:
            output, log = process.communicate()
        except KeyboardInterrupt:
            process.kill()
            raise
    if process.returncode != 0:
        said = error_of(output + log, process.returncode)
        raise AskError(f"{' '.join(line)}:\n{said}", said)
    return output


class Where:
    """What the cells of one call are made on; `say` is told each answer."""

    def __init__(self, programs, machine, say):
        self._programs = programs
        self._machine = machine
        self._say = say
        self._of_task = {}

    def _ask(self, task, method, preset, data_dir):
        """By the manifest that a training would write, the last line of what it prints."""
        line = [*self._programs.lra, f"--task={task}", f"--method={method}", f"--preset={preset}",
                f"--device={self._machine.device}", "--mode=manifest",
                *([f"--data_dir={data_dir}"] if data_dir else [])]
        output = _output(line, self._machine)
        try:
            found = origins.of_manifest(json.loads(output.splitlines()[-1]))
        except (IndexError, KeyError, TypeError, ValueError) as error:
            raise AskError(f"{' '.join(line)}: its last line is no manifest: {error!r}") from None
        gpus = self._machine.gpus_per_cell
        if gpus > 1 and found.device == CPU:
            raise AskError(f"--gpus_per_cell={gpus}: cells here run on the CPU")
        return found.by(gpus)

    def _device(self):
        """Of what one GPU does. Where no task is asked about: by one that needs no files."""
        if not self._of_task:
            return self._ask("image", "cf", "quick", "").of_one.device
        return next(iter(self._of_task.values())).of_one.device

    def _ask_of_data(self, cell, preset):
        data_dir = self._machine.data_dir_of(cell.task)
        try:
            return self._ask(cell.task, cell.method, preset, data_dir)
        except AskError as error:
            if not data_dir or data_dir not in error.said:  # nothing is wrong with the data
                raise
            tasks = [task for task in methods.TASKS
                     if task in (cell.task, *self._machine.generated)]
            raise AskError(f"{error}\n--generated={','.join(tasks)} generates the data of {cell.task}, "
                           "beside the files of other tasks") from None

    def place(self, cell):
        """AskError: the program cannot tell."""
        if cell.kind == BENCHMARK:
            return cell.on(Origin("", self._device()))
        if cell.task not in self._of_task:
            preset = dict(cell.settings).get("preset", "auto")
            found = self._ask_of_data(cell, preset)
            self._of_task[cell.task] = found
            self._say(f"{cell.task}: {found}")
        return cell.on(self._of_task[cell.task])
