import dataclasses
import re
from pathlib import Path

import pytest
import yaml

from segser_core.errors import SettingError
from tests.support.paths import CONFIGS, ROOT
from training.config.overrides import corpus_options, parse_overrides
from training.config.settings import (
    Augmentation,
    Settings,
    SpecAugment,
    TaskAdaptation,
    read_settings,
    settings_from,
    to_yaml,
)


@pytest.mark.parametrize("path", sorted(CONFIGS.glob("*.yaml")), ids=lambda p: p.stem)
def test_every_configuration_is_read(path):
    assert read_settings(path).tail == "align-right"


def test_the_papers_settings_for_ravdess():
    s = read_settings(CONFIGS / "ravdess.yaml")
    assert (s.segment_frames, s.stride_frames, s.epochs, s.batch_size, s.margin) == (80, 40, 30, 12, 1.0)
    assert s.alpha == {"tri-w": 0.7, "seg+tri-s": 0.1, "seg+tri-w": 0.2}
    assert (s.encoder, s.over_segments, s.protocol) == ("facebook/wav2vec2-base", "sum", "ravdess-paper")


def test_the_papers_settings_for_iemocap_and_fesc():
    iemocap, fesc = (read_settings(CONFIGS / f"{name}.yaml") for name in ("iemocap", "fesc"))
    for s in (iemocap, fesc):
        assert (s.epochs, s.batch_size, s.margin, s.alpha, s.over_segments) == (30, 12, 1.0, {}, "sum")
    assert (iemocap.segment_frames, iemocap.stride_frames, iemocap.protocol) == (140, 70, "iemocap-session")
    assert (iemocap.encoder, iemocap.layer, iemocap.corpus_options) == (
        "facebook/wav2vec2-base",
        None,
        {"excited": "in"},
    )
    assert (fesc.segment_frames, fesc.stride_frames, fesc.protocol) == (120, 60, "fesc-speaker")
    assert (fesc.encoder, fesc.layer) == ("jonatasgrosman/wav2vec2-large-xlsr-53-finnish", 23)


def test_the_command_line_goes_over_the_file(tmp_path):
    (tmp_path / "a.yaml").write_text("epochs: 3\nlayer: 2\naugmentation: {variants: 2, speed: [0.9, 1.1]}\n")
    s = read_settings(
        tmp_path / "a.yaml",
        {"epochs": "8", "learning_rate": "1e-4", "layer": "null", "partial": "true", "augmentation.gain_db": "6"},
    )
    assert (s.epochs, s.learning_rate, s.layer, s.partial) == (8, 1e-4, None, True)
    assert s.augmentation == Augmentation(variants=2, speed=(0.9, 1.1), gain_db=6)


def test_the_settings_of_the_sound_that_are_not_at_their_default():
    assert Augmentation(variants=3, mask_bands=0.2, mask_time=0.1).waveform_settings == {}
    how = Augmentation(speed=(0.9, 1.1), telephone=0.1, noise_share=0.5, gain_db=6)
    assert how.waveform_settings == {"speed": (0.9, 1.1), "telephone": 0.1, "gain_db": 6}


def test_a_range_of_levels_from_the_command_line(tmp_path):
    (tmp_path / "a.yaml").write_text("augmentation: {gain_db: 6}\n")
    assert read_settings(tmp_path / "a.yaml").augmentation.level_range_db == (-6, 6)
    s = read_settings(tmp_path / "a.yaml", parse_overrides(["--augmentation.gain-range-db", "[-30, 0]"]))
    assert s.augmentation.level_range_db == (-30, 0)


def test_a_group_of_the_command_line_is_made_where_there_is_none(tmp_path):
    (tmp_path / "a.yaml").write_text("corpus: fesc\n")
    given = parse_overrides(["--corpus-options.pattern", "(?P<speaker>S1)", "--corpus-options.labels.t", "tenderness"])
    assert read_settings(tmp_path / "a.yaml", given).corpus_options == {
        "pattern": "(?P<speaker>S1)",
        "labels": {"t": "tenderness"},
    }
    with pytest.raises(SettingError, match="corpus is 'fesc' and holds nothing"):
        read_settings(tmp_path / "a.yaml", {"corpus.excited": "out"})


def test_codes_of_labels_in_a_file_are_names(tmp_path):
    (tmp_path / "a.yaml").write_text("corpus: manifest\ncorpus_options: {labels: {01: neutral, no: sad}}\n")
    assert read_settings(tmp_path / "a.yaml").corpus_options == {"labels": {"01": "neutral", "no": "sad"}}


def test_options_of_a_corpus_on_a_command_line():
    assert corpus_options([]) == {}
    assert corpus_options(["--corpus-options.excited", "out"]) == {"excited": "out"}
    told = corpus_options(["--corpus-options.labels", "{01: neutral, no: sad, 1e3: happy, W: null}"])
    assert told == {"labels": {"01": "neutral", "no": "sad", "1e3": "happy", "W": None}}  # keys are names, as written
    for wrong in (["--excited", "out"], ["--corpus-options.excited"], ["excited", "out"], ["--corpus-options", "out"]):
        with pytest.raises(SettingError):
            corpus_options(wrong)


def test_a_system_has_its_own_block(tmp_path):
    (tmp_path / "a.yaml").write_text(
        "epochs: 3\nbatch_size: 12\nsystems:\n  p-tapt: {batch_size: 64, tapt: {clusters: [2]}}\n"
    )
    s = read_settings(tmp_path / "a.yaml", {"system": "p-tapt", "tapt.tuning_steps": "7"})
    assert (s.system, s.epochs, s.batch_size, s.tapt) == ("p-tapt", 3, 64, TaskAdaptation([2], tuning_steps=7))
    assert read_settings(tmp_path / "a.yaml", {"system": "seg"}).batch_size == 12
    (tmp_path / "a.yaml").write_text("system: p-tapt\nsystems: {p-tapt: {epochs: 15}}\n")
    assert read_settings(tmp_path / "a.yaml").epochs == 15
    assert read_settings(tmp_path / "a.yaml", {"epochs": "2"}).epochs == 2


@pytest.mark.parametrize("systems", ["7", "[p-tapt]", "{seg: 3}", "{other: {epochs: 2}}"])
def test_a_block_that_is_none_is_refused(systems, tmp_path):
    (tmp_path / "a.yaml").write_text(f"systems: {systems}\n")
    with pytest.raises(SettingError, match="systems"):
        read_settings(tmp_path / "a.yaml", {"system": "seg"})


@pytest.mark.parametrize("name", ["ravdess", "ravdess-tiny", "emodb-base"])
def test_the_authors_settings_of_the_two_systems_beside_the_five(name):
    of = {system: read_settings(CONFIGS / f"{name}.yaml", {"system": system}) for system in ("layer-average", "p-tapt")}
    pepino, chen = of.values()
    assert (pepino.batch_size, pepino.epochs, pepino.patience, pepino.best_by) == (32, 100, 4, "loss")
    assert (pepino.gradient_value_clip, pepino.crop_frames, pepino.normalization) == (1.0, 250, "global")
    masks = None if name == "emodb-base" else SpecAugment()  # a single tuned layer does not bear them
    assert chen.spec_augment == masks
    assert chen.class_weights
    assert not chen.balanced
    assert (chen.tapt.mask_p, chen.tapt.mask_frames, chen.tapt.mask_least) == (0.06, 15, 2)
    if name == "ravdess":
        assert chen.tapt == TaskAdaptation()
        assert (chen.batch_size, chen.epochs, chen.cut_s) == (64, 15, 10.0)
        assert {s.learning_rate for s in of.values()} | {s.head_learning_rate for s in of.values()} == {1e-4}


@pytest.mark.parametrize("name", ["iemocap", "fesc"])
def test_long_clips_have_settings_of_their_own(name):
    pepino = read_settings(CONFIGS / f"{name}.yaml", {"system": "layer-average"})
    assert (pepino.crop_frames, pepino.cut_s) == (400, 15.0)


def test_a_name_that_stands_twice(tmp_path):
    (tmp_path / "a.yaml").write_text("epochs: 3\nepochs: 4\n")
    with pytest.raises(SettingError, match="epochs twice"):
        read_settings(tmp_path / "a.yaml")


def test_settings_survive_as_yaml():
    s = Settings(
        alpha={"tri-w": 0.7},
        augmentation=Augmentation(variants=3, noise_db=(5.0, 30.0), reverberation_s=(0.2, 0.8), codec=0.1),
        spec_augment=SpecAugment(time_p=0.1),
        tapt=TaskAdaptation(clusters=[3]),
    )
    assert settings_from(yaml.safe_load(to_yaml(s))) == s


@pytest.mark.parametrize(
    ("values", "message"),
    [
        ({"epoch": 3}, "'epoch' is unknown"),
        ({"system": "seg+tri"}, "system is 'seg.tri'; expected one of p-tapt"),
        ({"epochs": 0}, "epochs is 0"),
        ({"epochs": "many"}, "epochs is 'many'; expected a whole number"),
        ({"tail": "keep"}, "tail is 'keep'"),
        ({"stride_frames": 100}, "stride_frames is 100; expected at most"),
        ({"alpha": {"seg+tri-w": 1.5}}, r"alpha\.seg\+tri-w is 1.5"),
        ({"alpha": {"other": 0.5}}, r"alpha\.other"),
        ({"precision": "fp16"}, "precision is 'fp16'"),
        ({"augmentation": {"pitch": 3}}, r"'augmentation\.pitch' is unknown; known are babble_db"),
        ({"learning_rate": 0}, "learning_rate is 0"),
        ({"tapt": {"clusters": [64, 1]}}, r"tapt\.clusters\.1 is 1; expected 2 or more"),
        ({"tapt": {"clusters": []}}, r"tapt\.clusters is \[\]; expected 1 or more"),
        ({"tapt": {"tuning_steps": 0}}, "tapt.tuning_steps is 0"),
        ({"tapt": {"mask_p": "often"}}, "tapt.mask_p is 'often'"),
        ({"spec_augment": {"time": 3}}, r"'spec_augment\.time' is unknown"),
        ({"spec_augment": {"time_frames": 0}}, r"spec_augment\.time_frames is 0; expected 1 or more"),
        ({"tapt": {"mask_frames": 0}}, r"tapt\.mask_frames is 0; expected 1 or more"),
        ({"tapt": {"mask_p": 1.5}}, r"tapt\.mask_p is 1\.5; expected 1 or less"),
        ({"tapt": {"pretraining_warmup_steps": -1}}, "pretraining_warmup_steps is -1"),
        ({"patience": 0}, "patience is 0"),
        ({"best_by": "luck"}, "best_by is 'luck'"),
        ({"normalization": "batch"}, "normalization is 'batch'"),
        ({"gradient_clip": -1}, "gradient_clip is -1"),
        ({"margin": -0.5}, "margin is -0.5"),
        ({"schedule": "steps"}, "schedule is 'steps'; expected one of linear"),
        ({"epochs": 8.5}, "epochs is 8.5; expected a whole number"),
        ({"layer": "last"}, "layer is 'last'; expected a whole number, or null"),
        ({"partial": "perhaps"}, "partial is 'perhaps'; expected true or false"),
        ({"augmentation": {"speed": 0.9}}, r"augmentation\.speed is 0\.9; expected a pair of numbers, or null"),
        ({"augmentation": {"reverberation_s": [0, 0.5]}}, r"augmentation\.reverberation_s\.0 is 0; expected above 0"),
        ({"augmentation": {"low_pass_hz": 4000}}, r"low_pass_hz is 4000; expected a pair of numbers, or null"),
        ({"augmentation": {"babble_share": 1.5}}, r"augmentation\.babble_share is 1\.5; expected 1 or less"),
        ({"augmentation": {"telephone": True}}, r"augmentation\.telephone is True; expected a number"),
        ({"augmentation": {"speed": [0.9, 1.0, 1.1]}}, r"augmentation.speed is \(0.9, 1.0, 1.1\)"),
    ],
)
def test_a_wrong_setting_is_refused_by_name(values, message):
    with pytest.raises(SettingError, match=message):
        settings_from(values)


@pytest.mark.parametrize("content", ["a: [", "- 1\n- 2\n"])
def test_a_broken_file_is_refused(content, tmp_path):
    (tmp_path / "a.yaml").write_text(content)
    with pytest.raises(SettingError):
        read_settings(tmp_path / "a.yaml")
    with pytest.raises(SettingError, match="cannot be read"):
        read_settings(tmp_path / "absent.yaml")


def test_a_config_is_found_by_its_bare_name():
    assert read_settings(Path("ravdess")) == read_settings(CONFIGS / "ravdess.yaml")


def test_a_file_of_ones_own_goes_before_a_config_of_its_name(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    Path("ravdess").write_text("epochs: 7")
    assert read_settings(Path("ravdess")).epochs == 7


@pytest.mark.parametrize("name", ["nosuch", "folder/nosuch", "nosuch.yaml"])
def test_an_unknown_configuration_names_the_known(name):
    message = f"the settings {name} cannot be read: expected a YAML file that is there, or one of bundled, emodb-base"
    with pytest.raises(SettingError, match=message):
        read_settings(Path(name))


def test_the_example_of_the_documentation_is_read(tmp_path):
    text = (ROOT / "docs" / "training.md").read_text()
    (example,) = re.findall(r"```yaml\n(.*?)```", text, re.DOTALL)
    (tmp_path / "two.yaml").write_text(example)
    settings = read_settings(tmp_path / "two.yaml", {"system": "seg+tri-w"})
    assert settings.corpus_name == "cremad+calls"
    assert settings.soft_targets


def test_the_documentation_names_every_augmentation():
    text = (ROOT / "docs" / "training.md").read_text()
    assert [f.name for f in dataclasses.fields(Augmentation) if f"`{f.name}`" not in text] == []
    named = set(re.findall(r"^- `(\w+)", text, re.MULTILINE))
    assert named >= {"corpora", "labels", "joined", "average_decay", "calibrated", "data_workers"}


def test_labels_of_a_single_corpus_are_its_own():
    with pytest.raises(SettingError, match="labels is \\['sad', 'happy'\\]; expected null without corpora"):
        settings_from({"labels": ["sad", "happy"]})


@pytest.mark.parametrize(
    ("values", "message"),
    [
        ({"window_s": 1.5}, r"the setting window_s is 1\.5; expected the 1\.6 s of a segment, or more"),
        ({"window_s": 8.0, "consistency": 0.5}, r"the setting consistency is 0\.5; expected 0 with window_s"),
        ({"joined": {"pause_s": [-1.0, 0.0]}}, r"joined\.pause_s is \[-1\.0, 0\.0\]; expected the shortest, from 0"),
        ({"joined": {"pause_s": [0.5, 0.1]}}, r"joined\.pause_s is \[0\.5, 0\.1\]; expected the shortest, from 0"),
        ({"augmentation": {"speed": [0.0, 1.0]}}, r"augmentation\.speed.* is 0\.0; expected above 0"),
        ({"corpora": [{"name": "emodb", "alias": "a+b"}]}, r"corpora\.alias is 'a\+b'; expected a name without \+"),
        ({"corpora": [{"name": "emodb", "alias": "../a"}]}, r"corpora\.alias is '\.\./a'; expected a name without"),
        ({"corpora": [{"name": "emodb"}], "protocol": "emodb-fixed"}, "protocol is .*expected none beside corpora"),
        ({"corpora": [{"name": "emodb"}], "corpus_options": {"a": 1}}, "corpus_options is .*none beside corpora"),
        ({"corpora": [{"name": "emodb"}], "labels": ["sad", "sad"]}, "labels is .*expected each class once"),
    ],
)
def test_settings_that_do_not_go_together(values, message):
    with pytest.raises(SettingError, match=message):
        settings_from(values)
    assert settings_from({"window_s": 1.6}).window_s == 1.6
