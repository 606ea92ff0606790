"""What the measurements of speed rest on: fair turns, figures worked by hand, peers with our weights, equal losses."""

from itertools import product

import numpy as np
import pytest
import torch

from benchmarks import gpu, growth, long_file, turns
from benchmarks.inference import cut
from benchmarks.paper_cost import loss_apart, loss_of
from benchmarks.peers import by_pipeline, classifier_of
from benchmarks.resampling import by_loop, ours, utterances
from segser_core.inference.predictor import Predictor
from tests.support.audio_files import make_noise
from tests.support.networks import batch_of, tiny_model


def test_each_side_goes_first_in_its_turn():
    order = []
    sides = {name: lambda turn, name=name: order.append((turn, name)) for name in "abc"}
    times = turns.alternate([0, 1, 2], sides)
    assert "".join(name for _, name in order) == "abcbcacab"
    assert [turn for turn, _ in order] == [0] * 3 + [1] * 3 + [2] * 3
    assert {name: len(t) for name, t in times.items()} == {"a": 3, "b": 3, "c": 3}


def test_a_ratio_is_the_median_of_single_turns():
    figure = turns.ratio("work", "peer", [2.0, 3.0, 4.0, 10.0, 6.0], [1.0, 1.0, 1.0, 2.0, 1.0], "≥ 3 ×", "as told")
    assert (figure.low, figure.value, figure.high, figure.turns) == (3, 4, 5, 5)
    assert figure.cells() == ["work", "peer", "4 (3 to 5) ×", "≥ 3 ×", "5", "25 s / 6 s; as told"]


def test_figures_are_kept_and_put_into_one_table(tmp_path, capsys):
    figures = [turns.spread("work, one", "–", [0.5], "s", "< 1 s"), turns.spread("two", "–", [1.0, 2.0], "s", "")]
    turns.publish("b", figures, tmp_path)
    turns.publish("a", figures[:1], tmp_path)
    table = (tmp_path / "README.md").read_text()
    assert table.index("## a") < table.index("## b")
    assert table.count("| work, one | – | 0.5 s | < 1 s | 1 |  |") == 2
    assert "| two | – | 1.5 (1.25 to 1.75) s |  | 2 |  |" in table
    assert turns.markdown([turns.HEAD, *(f.cells() for f in figures)]) in capsys.readouterr().out


def test_the_pipeline_says_of_a_window_what_we_say_in_isolation():
    predictor = Predictor(tiny_model("wav2vec2", normalize=True), "tiny")
    clip = make_noise(1.3)
    found = by_pipeline(predictor.model, 2)(cut(predictor.model, clip))
    alone = predictor.predict(clip, context="segment", aggregate="max")
    np.testing.assert_allclose(found, [list(s.probabilities.values()) for s in alone.segments], atol=1e-5)


def test_the_classifier_of_whisper_has_our_weights():
    model = tiny_model("whisper", layer=1)
    other, mel = classifier_of(model), torch.randn(1, 80, 2 * model.encoder.max_frames)
    pairs = mel[0].T.reshape(1, -1, 160)
    with torch.no_grad():
        frames = model.encoder(pairs, torch.tensor([pairs.shape[1]]))
        torch.testing.assert_close(other.encoder(mel).last_hidden_state, frames, rtol=0, atol=1e-4)
        mask = (torch.arange(320 * model.encoder.max_frames) < 320 * 70)[None]
        torch.testing.assert_close(other(mel, mask).logits, model.head(frames[:, :70].mean(1)), rtol=0, atol=1e-4)


def test_three_passes_reach_the_loss_of_one():
    model = tiny_model()
    features, lengths = batch_of(model, seconds=(1.0, 0.6, 1.7, 1.1))
    batch = {"features": features, "lengths": lengths, "offsets": torch.tensor([0, 3, 0, 5])}
    batch["labels"] = torch.tensor([0, 1, 0, 1])
    torch.testing.assert_close(loss_apart(model, batch), loss_of("seg+tri-w")(model, batch))
    assert loss_apart(model, batch) != loss_of("seg")(model, batch)


def test_both_ways_of_resampling_find_the_same_interval():
    labels, predicted = utterances()
    a, b = ours(labels, predicted, 0), by_loop(labels, predicted, 300, 0)
    assert len(labels) == 5531
    assert (a.low, a.high) == pytest.approx((b.low, b.high), abs=0.004)


def test_frames_in_windows_are_all_there_and_one_window_is_one_pass():
    model, clip = tiny_model("wav2vec2"), make_noise(3.0)
    with torch.inference_mode():
        whole = model.encoder(model.encoder.features(torch.from_numpy(clip))[None], torch.tensor([149]))[0]
        torch.testing.assert_close(long_file.frames(model, clip, 1500, 0), whole)
        assert long_file.frames(model, clip, 60, 10).shape == whole.shape


def test_growth_has_a_line_for_each_size(capsys):
    growth.main(["--lengths", "1", "2", "--classes", "4", "8", "--utterances", "60", "120", "--turns", "1"])
    lines = [line.split(" | ") for line in capsys.readouterr().out.splitlines()[2:]]
    assert [line[1] for line in lines] == [
        *("1 s", "2 s", "4 classes", "8 classes"),
        *("4 classes", "8 classes", "60 utterances", "120 utterances"),
    ]
    assert [line[3] == "– |" for line in lines] == [True, False] * 4


def test_the_benchmark_of_gpus_goes_the_same_way_on_a_cpu(capsys, monkeypatch):
    monkeypatch.setattr(gpu, "SYSTEMS", ("baseline", "seg+tri-w"))
    gpu.main(["--dry-run"])
    lines = [line.split(" | ") for line in capsys.readouterr().out.splitlines()[2:]]
    names = ("| baseline", "| seg+tri-w", "| inference")
    found = [(name, way, size) for name, size, way, *_ in lines]
    assert found == [*product(names, ("as it is", "compiled"), ("2", "4"))]
    assert all("an epoch" in line[3] for line in lines[:8])
    assert all("of audio" in line[3] for line in lines[8:])


def test_inference_on_a_gpu_is_counted_from_the_samples_on():
    model = tiny_model("wav2vec2")
    batch = gpu.made_batch(model, 2, "cpu")
    convolutions = gpu.flops_of(lambda b: gpu.features_of(model, b["waveforms"]), batch)
    with torch.no_grad():
        above = gpu.flops_of(lambda b: model(b["features"], b["lengths"], b["offsets"]), batch)
    assert convolutions > 0
    assert gpu.flops_of(gpu.inference(model, "cpu"), batch) == convolutions + above


def test_the_largest_batch_is_the_last_that_fits(monkeypatch):
    def out_of_memory_at_8(name, work, batch, device, peak):
        if len(batch["labels"]) == 8:
            raise torch.OutOfMemoryError
        return ["fits", "", ""]

    monkeypatch.setattr(gpu, "line", out_of_memory_at_8)
    found = [line[1:4] for line in gpu.lines(lambda: tiny_model("wav2vec2"), "cpu", (4, 8, 16)) if line[0] == "seg"]
    assert [(size, said) for size, _, said in found] == [("4", "fits"), ("8", "out of memory")] * 2


@pytest.mark.skipif(torch.cuda.is_available(), reason="there is a GPU")
def test_without_a_gpu_the_benchmark_says_so(capsys):
    with pytest.raises(SystemExit, match="2"):
        gpu.main([])
    assert "no GPU" in capsys.readouterr().err
