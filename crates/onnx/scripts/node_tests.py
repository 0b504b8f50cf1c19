"""Writes the tests of single operators of the onnx package, which it makes by programs, in the form of its other tests.

Run as `python scripts/node_tests.py FOLDER`, with onnx 1.23: FOLDER/test_NAME/{model.onnx,test_data_set_N/{input,output}_I.pb}.
"""
import os
import sys
import onnx.backend.test.case.node as node_test
from onnx import numpy_helper, TensorProto
import numpy as np
out=sys.argv[1]
cases=node_test.collect_testcases(None)
n=0
for case in cases:
    try:
        d=os.path.join(out,case.name); os.makedirs(d,exist_ok=True)
        open(d+"/model.onnx","wb").write(case.model.SerializeToString())
        for i,(ins,outs) in enumerate(case.data_sets):
            dd=d+f"/test_data_set_{i}"; os.makedirs(dd,exist_ok=True)
            for kind,vals,infos in (("input",ins,case.model.graph.input),("output",outs,case.model.graph.output)):
                for j,v in enumerate(vals):
                    info=infos[j]
                    if info.type.HasField("sequence_type"): b=numpy_helper.from_list(v,info.name).SerializeToString()
                    elif info.type.HasField("optional_type"): b=numpy_helper.from_optional(v,info.name).SerializeToString()
                    elif isinstance(v,TensorProto): b=v.SerializeToString()
                    else: b=numpy_helper.from_array(np.asarray(v),info.name).SerializeToString()
                    open(dd+f"/{kind}_{j}.pb","wb").write(b)
        n+=1
    except Exception as e: print(case.name,repr(e)[:100])
print(n)
