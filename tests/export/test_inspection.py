import pytest
import tensorflow as tf

from tfaigc.errors import ExportError
from tfaigc.export.inspection import check_ops, op_names, read_meta_graph, stored_bytes


class CallsPython(tf.Module):
    @tf.function(input_signature=[tf.TensorSpec((None,), tf.float32, name="number")])
    def answer(self, number):
        return {"double": tf.ensure_shape(tf.numpy_function(abs, [number], tf.float32), (None,))}


class NeedsXla(tf.Module):
    @tf.function(input_signature=[tf.TensorSpec((None,), tf.float32, name="number")])
    def answer(self, number):
        @tf.function(jit_compile=True)
        def double(x):
            return x + x

        return {"double": double(number)}


@pytest.mark.parametrize(
    ("kind", "words"),
    [(CallsPython, "must not call Python.*PyFunc"), (NeedsXla, "bound to XLA.*double")],
)
def test_what_the_server_cannot_run_is_refused(tmp_path, kind, words):
    module = kind()
    tf.saved_model.save(module, str(tmp_path), {"serving_default": module.answer})
    with pytest.raises(ExportError, match=words):
        check_ops(read_meta_graph(tmp_path))


def test_op_names_look_into_functions(exported):
    names = op_names(read_meta_graph(exported))
    assert names == sorted(set(names))
    assert {"NormalizeUTF8", "StringLength", "VarHandleOp"} <= set(names)


def test_stored_bytes_is_the_variables_size(exported, tmp_path):
    assert 80_000 <= stored_bytes(exported) < 81_000
    assert stored_bytes(tmp_path) == 0
