"""`lotus scenario`: what it prints, and its exit status."""

from pathlib import Path

from tests.repository import ROOT
from tests.server_process import run_lotus

GOOD = """\
name: A fee
plans:
  - {plan_id: pro, plan_name: Pro, plan_duration: monthly, recurring_charges: [{name: fee, amount: 10}]}
customers: [acme]
steps:
  - at: 2026-01-01
    subscribe: {}
    expect: {invoices: [{total: 10}]}
"""


def written(folder: Path, **texts: str) -> list[str]:
    for name, text in texts.items():
        (folder / f"{name}.yaml").write_text(text, encoding="utf-8")
    return [str(folder / f"{name}.yaml") for name in texts]


def test_the_examples_run_without_a_server() -> None:
    done = run_lotus("scenario", "run", str(ROOT / "examples" / "scenarios"))

    assert (done.returncode, done.stderr) == (0, "")
    assert "played, 0 not as expected" in done.stdout


def test_mismatches_are_shown_as_a_table_and_end_with_status_1(tmp_path: Path) -> None:
    files = written(tmp_path, good=GOOD, bad=GOOD.replace("total: 10", "total: 12"))

    done = run_lotus("scenario", "run", *files)

    assert done.returncode == 1
    assert "invoices[0].total" in done.stdout
    assert f"A fee ({files[1]})" in done.stdout
    assert "2 scenarios played, 1 not as expected" in done.stdout


def test_a_file_that_cannot_be_read_is_told_by_line_before_anything_runs(tmp_path: Path) -> None:
    files = written(tmp_path, good=GOOD, bad="name: x\nstep: []\n")

    done = run_lotus("scenario", "run", *files, str(tmp_path / "missing.yaml"))

    assert (done.returncode, done.stdout) == (1, "")
    assert f"{files[1]}:2: 'step' is nothing that a scenario has" in done.stderr
    assert "missing.yaml:1: The file cannot be read: No such file or directory." in done.stderr


def test_checking_tells_what_the_api_would_refuse(tmp_path: Path) -> None:
    (file,) = written(tmp_path, bad=GOOD.replace("monthly", "monthy").replace("amount: 10", "amount: -10"))

    done = run_lotus("scenario", "check", file)

    assert done.returncode == 1
    assert f"{file}:3: plans[0].plan_duration: invalid_choice" in done.stderr
    assert f"{file}:3: plans[0].recurring_charges[0].amount: negative" in done.stderr
    assert "1 scenario checked, 1 with problems" in done.stdout


def test_a_good_file_is_checked_without_being_played(tmp_path: Path) -> None:
    (file,) = written(tmp_path, good=GOOD.replace("total: 10", "total: 12"))

    assert run_lotus("scenario", "check", file).returncode == 0


def test_a_folder_without_scenarios_is_told(tmp_path: Path) -> None:
    done = run_lotus("scenario", "run", str(tmp_path))

    assert done.returncode == 1
    assert "There is no YAML file here." in done.stderr


def test_several_files_do_not_go_into_one_organization(tmp_path: Path) -> None:
    done = run_lotus(
        "scenario", "run", *written(tmp_path, a=GOOD, b=GOOD), "--url", "http://127.0.0.1:1", "--api-key", "key"
    )

    assert done.returncode == 1
    assert "give one file" in done.stderr


def test_where_on_a_server_needs_a_server(tmp_path: Path) -> None:
    done = run_lotus("scenario", "run", *written(tmp_path, a=GOOD), "--api-key", "key")

    assert done.returncode == 1
    assert "give --url too" in done.stderr
