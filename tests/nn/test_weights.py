"""Networks out of files: rebuilt with the same bits, or refused in a sentence."""

import copy
import hashlib
import json
import math
import random
import struct
import tracemalloc

import pytest

import nn
from autograd import Primitive, register
from autograd._primitive import unregister
from autograd.documents import to_bytes

WEIGHTS = "scalar-autograd weights"


def net(**keywords):
    model = nn.MLP(2, [3, 1], rng=random.Random(1), **keywords)
    numbers = [math.pi, 5e-324, -0.0, 1.7976931348623157e308, 0.1 + 0.2, 1e22, -1 / 3]
    for p, number in zip(model.parameters(), numbers, strict=False):
        p.data = number
    return model


def bits(model):
    return [(name, p.data.hex(), p.label, p.scope) for name, p in model.named_parameters()]


NETWORKS = [
    {},
    {"bias": False, "name": "net"},
    {"activation": "tanh", "output_activation": "sigmoid"},
    {"activation": [["tanh", "relu", "leaky_relu"], "softplus"]},
]


@pytest.mark.parametrize("keywords", NETWORKS)
def test_a_plain_mlp_comes_back_whole(tmp_path, keywords):
    model = net(**keywords)
    model.save(tmp_path / "w.json")
    state = random.getstate()
    other = nn.load(tmp_path / "w.json")
    assert random.getstate() == state
    assert type(other) is nn.MLP
    assert bits(other) == bits(model)
    assert other.architecture() == model.architecture()
    assert repr(other) == repr(model)
    assert [layer.name for layer in other.layers] == [layer.name for layer in model.layers]
    for x in ([0.3, -0.2], [1e-3, 5.0]):
        assert repr(other(x).data) == repr(model(x).data)
    other.save(tmp_path / "again.json")
    assert (tmp_path / "again.json").read_bytes() == (tmp_path / "w.json").read_bytes()


def test_another_module_is_named(tmp_path):
    class Net(nn.Module):
        def __init__(self):
            self.a = nn.Neuron(1)

    Net().save(tmp_path / "w.json")
    with pytest.raises(ValueError, match=r"w\.json: .*'Net', which is no plain MLP: make the mod"):
        nn.load(tmp_path / "w.json")
    nn.MLP(1, [1], output_activation=lambda x: x).save(tmp_path / "w.json")
    with pytest.raises(ValueError, match="'MLP', which is no plain MLP"):
        nn.load(tmp_path / "w.json")


def test_other_activations_are_refused_by_the_module(tmp_path):
    model, other = net(activation="tanh"), net()
    model.save(tmp_path / "w.json")
    before = bits(other)
    with pytest.raises(ValueError, match=r"of a network 2-3-1 \(tanh, .* this one is 2-3-1 \(relu"):
        other.load(tmp_path / "w.json")
    assert bits(other) == before
    other.load_state_dict(model.state_dict())
    net(name="renamed", activation="tanh").load(tmp_path / "w.json")  # a name changes no number


def damaged(change):
    model = nn.MLP(2, [3, 1], rng=random.Random(1))
    content = {
        "model": "MLP",
        "architecture": model.architecture().to_json(),
        "parameters": model.state_dict(),
    }
    change(content)
    return to_bytes(WEIGHTS, 3, content)


@pytest.mark.parametrize(
    ("change", "words"),
    [
        (lambda d: d.pop("model"), "there must be model, architecture, parameters"),
        (lambda d: d.update(more=1), "and nothing else"),
        (lambda d: d.update(model=["MLP"]), "model is"),
        (lambda d: d.update(parameters=[1.0]), "parameters are list"),
        (lambda d: d.update(architecture=None), "no plain MLP"),
        (lambda d: d.update(architecture=[]), "an architecture has"),
        (lambda d: d["architecture"].update(sizes=[4, 1]), r"13 parameters for a network 2-4-1"),
        (lambda d: d["architecture"].update(sizes=[10**9, 1]), "13 parameters for a network"),
        (lambda d: d["architecture"].update(inputs=10**4000), "13 parameters for a network 10000"),
        (lambda d: d["architecture"].update(bias=False), "13 parameters for a network"),
        (lambda d: d["architecture"].update(activations=["os.system", "relu"]), "no primitive"),
        (lambda d: d["parameters"].update({"layers.0.neurons.0.b": None}), "must be a number"),
        (
            lambda d: d.update(parameters={str(i): 0.5 for i in range(13)}),
            r"parameter 'layers\.0\.neurons\.0\.w\.0' is missing",
        ),
    ],
)
def test_a_file_whose_parts_do_not_fit_is_refused(tmp_path, change, words):
    path = tmp_path / "w.json"
    path.write_bytes(damaged(change))
    tracemalloc.start()
    try:
        with pytest.raises(ValueError, match=rf"^\S*w\.json: .*{words}"):
            nn.load(path)
        assert tracemalloc.get_traced_memory()[1] < 2_000_000
    finally:
        tracemalloc.stop()


def test_flipped_bits_and_truncations_of_safetensors_are_found(tmp_path):
    path = tmp_path / "w.safetensors"
    nn.save_safetensors(nn.MLP(1, [1], init=[1e-5, 0.1 + 0.2]), path)
    whole = path.read_bytes()
    for place in range(len(whole)):
        bit = bytes([whole[place] ^ (1 << place % 8)])
        for content in (whole[:place], whole[:place] + bit + whole[place + 1 :]):
            path.write_bytes(content)
            with pytest.raises(ValueError, match=r"w\.safetensors: "):
                nn.load_safetensors(path)


def test_a_primitive_of_ones_own_must_be_registered_again(tmp_path):
    twice = Primitive("twice", lambda x: 2.0 * x, (lambda out, x: 2.0,), domain=((0.0, 1.0),))
    register(twice)
    try:
        model = nn.MLP(1, [1], output_activation=twice, init=[0.5, 1.0])
        model.save(tmp_path / "w.json")
        assert nn.load(tmp_path / "w.json")([2.0]).data == 4.0
    finally:
        unregister("twice")
    with pytest.raises(ValueError, match="activation 'twice' is no primitive"):
        nn.load(tmp_path / "w.json")


# ----------------------------------------------------------------------------------- safetensors


@pytest.mark.parametrize("keywords", NETWORKS)
def test_safetensors_there_and_back(tmp_path, keywords):
    model = net(**keywords)
    nn.save_safetensors(model, tmp_path / "w.safetensors")
    other = nn.load_safetensors(tmp_path / "w.safetensors")
    assert bits(other) == bits(model)
    assert other.architecture() == model.architecture()


def test_the_peer_reads_and_writes_the_same(tmp_path):
    numpy = pytest.importorskip("numpy")
    peer = pytest.importorskip("safetensors.numpy")
    model, path = net(activation="tanh"), tmp_path / "w.safetensors"
    nn.save_safetensors(model, path)
    found = peer.load_file(path)
    for i, layer in enumerate(model.layers):
        weight, bias = found[f"layers.{i}.weight"], found[f"layers.{i}.bias"]
        assert weight.dtype == bias.dtype == numpy.float64
        assert weight.tolist() == [[w.data for w in n.w] for n in layer.neurons]
        assert bias.tolist() == [n.b.data for n in layer.neurons]
    rng = numpy.random.default_rng(1)
    for dtype in (numpy.float64, numpy.float32):
        theirs = {
            "2.weight": rng.normal(size=(2, 11)).astype(dtype),
            "10.bias": rng.normal(size=1).astype(dtype),
            "10.weight": rng.normal(size=(1, 2)).astype(dtype),
            "2.bias": rng.normal(size=2).astype(dtype),
        }
        peer.save_file(theirs, path)
        ours = nn.load_safetensors(path, activation="relu", output_activation="sigmoid")
        assert str(ours.architecture()) == "11-2-1 (relu, sigmoid)"
        for layer, number in zip(ours.layers, (2, 10), strict=True):
            weight, bias = theirs[f"{number}.weight"], theirs[f"{number}.bias"]
            assert [[w.data for w in n.w] for n in layer.neurons] == weight.tolist()
            assert [n.b.data for n in layer.neurons] == bias.tolist()


def file_of(header, data=b"", length=None):
    text = header if isinstance(header, bytes) else json.dumps(header).encode()
    size = len(text) if length is None else length
    return size.to_bytes(8, "little") + text + data


def entry(shape, begin, kind="F64", end=None):
    size = math.prod(shape) * (8 if kind == "F64" else 4)
    return {"dtype": kind, "shape": shape, "data_offsets": [begin, end or begin + size]}


ONE = struct.pack("<d", 1.0)
LINE = {"0.weight": entry([1, 1], 0), "0.bias": entry([1], 8)}


def test_a_small_file_by_hand(tmp_path):
    path = tmp_path / "w.safetensors"
    path.write_bytes(file_of(LINE, ONE + struct.pack("<d", -0.0)))
    model = nn.load_safetensors(path, activation="relu")
    assert [p.data.hex() for p in model.parameters()] == [(1.0).hex(), (-0.0).hex()]
    path.write_bytes(file_of({"a.7.weight": entry([1, 2], 0, "F32")}, struct.pack("<ff", 0.1, 2)))
    model = nn.load_safetensors(path, activation="relu")
    assert [p.data for p in model.parameters()] == [0.10000000149011612, 2.0]


def changed(**changes):
    header = copy.deepcopy(LINE)
    for name, value in changes.items():
        header["0.weight"][name] = value
    return header


@pytest.mark.parametrize(
    ("content", "words"),
    [
        (b"", "truncated where it begins"),
        (b"\0" * 8, "truncated where it begins"),
        (file_of(LINE, ONE * 2, length=2**63), "truncated where it begins"),
        (file_of(b" {}"), "damaged where it begins"),
        (file_of(b"[1]"), "damaged where it begins"),
        (file_of(b'{"a": {"b": ' * 100_000), "no JSON"),
        (file_of(b'{"\xff": 1}'), "no JSON"),
        (file_of(b'{"a": 1, "a": 2}'), "a name stands twice"),
        (file_of(b'{"0.weight": {"dtype": "F64", "dtype": "F64"}}'), "a name stands twice"),
        (file_of(b"{" + b" " * 4_000_000 + b"}"), "4000000 at most are read"),
        (file_of({"__metadata__": 1, **LINE}, ONE * 2), "__metadata__ must be texts"),
        (file_of({"__metadata__": {"a": 1}, **LINE}, ONE * 2), "__metadata__ must be texts"),
        (file_of({"0.weight": 1}), "must have dtype, shape and data_offsets"),
        (file_of(changed(more=1), ONE * 2), "must have dtype"),
        (file_of(changed(dtype="BF16"), ONE * 2), "'0.weight' is of type 'BF16', not F64 or F32"),
        (file_of(changed(dtype=["F64"]), ONE * 2), "is of type"),
        (file_of(changed(shape="11"), ONE * 2), "shape '11'"),
        (file_of(changed(shape=[True, 1]), ONE * 2), "shape"),
        (file_of(changed(shape=[-1, -1]), ONE * 2), "shape"),
        (file_of(changed(shape=[1.0, 1]), ONE * 2), "shape"),
        (file_of(changed(data_offsets=[0]), ONE * 2), "data_offsets"),
        (file_of(changed(data_offsets=[8, 0]), ONE * 2), "reaches beyond|bytes"),
        (file_of(changed(data_offsets=[0, 2**70]), ONE * 2), "reaches beyond the end"),
        (file_of(changed(shape=[2**40, 0]), ONE * 2), "reaches beyond the end"),
        (file_of(changed(shape=[1] * 9), ONE * 2), "does not take 8 bytes"),
        (file_of(changed(shape=[2, 1]), ONE * 2), "does not take 8 bytes"),
        (file_of(changed(data_offsets=[8, 16]), ONE * 2), "gap before it|overlaps"),
        (file_of({**LINE, "0.bias": entry([1], 16)}, ONE * 3), "'0.bias' leaves a gap"),
        (file_of({**LINE, "0.bias": entry([1], 4)}, ONE * 2), "'0.bias' overlaps"),
        (file_of(LINE, ONE * 3), "8 bytes at the end belong to no tensor"),
        (file_of(LINE, ONE), "reaches beyond the end"),
        (file_of(LINE, ONE + struct.pack("<d", math.nan)), "'0.bias' holds nan"),
        (file_of(LINE, ONE + struct.pack("<d", -math.inf)), "'0.bias' holds -inf"),
        (file_of({}), "no tensors"),
        (file_of({"fc.weight": entry([1, 1], 0)}, ONE), "'fc.weight' is no layer"),
        (file_of({"0.weight": entry([1], 0)}, ONE), "layer 0 has no matrix"),
        (file_of({"0.bias": entry([1], 0)}, ONE), "layer 0 has no matrix"),
        (file_of({"0.weight": entry([0, 1], 0)}), "layer 0 has no matrix"),
        (file_of({**LINE, "01.bias": entry([1], 16)}, ONE * 3), "layer 1 has no matrix"),
        (file_of({**LINE, "00.bias": entry([1], 16)}, ONE * 3), "another one has its number"),
        (file_of({**LINE, "b1.weight": entry([1, 1], 16)}, ONE * 3), "'b1.weight' is no layer"),
        (file_of({**LINE, "1.weight": entry([1, 1], 16)}, ONE * 3), "some layers have biases"),
        (file_of({**LINE, "1.weight": entry([1, 2], 16)}, ONE * 4), "layer 1 takes 2 inputs"),
        (
            file_of({"0.weight": entry([1, 1], 0), "0.bias": entry([2], 8)}, ONE * 3),
            r"1 neurons, biases \(2,\)",
        ),
    ],
)
def test_a_damaged_safetensors_file_is_refused(tmp_path, content, words):
    path = tmp_path / "w.safetensors"
    path.write_bytes(content)
    with pytest.raises(ValueError, match=rf"^\S*w\.safetensors: .*({words})"):
        nn.load_safetensors(path, activation="relu")


def test_activations_are_said_once(tmp_path):
    path = tmp_path / "w.safetensors"
    path.write_bytes(file_of(LINE, ONE * 2))
    with pytest.raises(ValueError, match="holds no activations: say activation="):
        nn.load_safetensors(path)
    nn.save_safetensors(net(), path)
    for words in ({"activation": "relu"}, {"output_activation": "relu"}):
        with pytest.raises(ValueError, match="knows its activations"):
            nn.load_safetensors(path, **words)


def with_metadata(architecture, about=None):
    """Return a file of one weight and one bias that is said to be of another network."""
    text = architecture if isinstance(architecture, str) else json.dumps(architecture)
    digest = hashlib.sha256(text.encode())
    for name in ("0.bias", "0.weight"):
        digest.update(json.dumps([name, LINE[name]["shape"]]).encode() + ONE)
    found = {"format": "scalar-autograd", "architecture": text, "sha256": digest.hexdigest()}
    return file_of({"__metadata__": found | (about or {}), **LINE}, ONE * 2)


def test_metadata_is_checked_against_the_matrices(tmp_path):
    path = tmp_path / "w.safetensors"
    good = {"inputs": 1, "sizes": [1], "activations": ["tanh"], "bias": True, "name": ""}
    path.write_bytes(with_metadata(good))
    assert str(nn.load_safetensors(path).architecture()) == "1-1 (tanh)"
    for content, words in [
        (with_metadata({**good, "inputs": 10**12}), "not those of a network 1000000000000-1"),
        (with_metadata({**good, "sizes": [1, 1], "activations": ["tanh"] * 2}), "not those of"),
        (with_metadata({**good, "bias": False}), "not those of a network"),
        (with_metadata({**good, "activations": ["eval"]}), "no primitive"),
        (with_metadata("{"), "Expecting"),
        (with_metadata("[" * 100_000), "recursion"),
        (with_metadata(good, {"sha256": "0" * 64}), "its hash is another"),
        (with_metadata(good, {"architecture": "{}"}), "its hash is another"),
    ]:
        path.write_bytes(content)
        with pytest.raises(ValueError, match=rf"w\.safetensors: .*{words}"):
            nn.load_safetensors(path)


def test_saving_safetensors_replaces_whole_files_or_nothing(tmp_path):
    model, path = net(), tmp_path / "w.safetensors"
    nn.save_safetensors(model, path)
    before = path.read_bytes()
    model.parameters()[4].data = math.nan
    with pytest.raises(ValueError, match=r"'layers\.0\.neurons\.1\.w\.1' is nan"):
        nn.save_safetensors(model, path)
    with pytest.raises(ValueError, match="no plain MLP"):
        nn.save_safetensors(nn.MLP(1, [1], output_activation=abs), path)
    assert path.read_bytes() == before
    assert [file.name for file in tmp_path.iterdir()] == ["w.safetensors"]


def test_what_is_no_ordinary_file_is_refused_at_once():
    with pytest.raises(ValueError, match=r"/dev/zero: not an ordinary file"):
        nn.load_safetensors("/dev/zero", activation="relu")
    with pytest.raises(ValueError, match=r"/dev/zero"):
        nn.load("/dev/zero")
