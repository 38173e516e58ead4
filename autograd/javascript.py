"""The values and partials of primitives as JavaScript: for pages, and networks that leave Python.

Each primitive has ONE line here, its value in JavaScript; its partials are not written again but
emitted by running the engine's own rule on `Value`s and writing down what it recorded.

JavaScript's `Math` may differ from the C library by an ulp or so, and lacks erf and lgamma: what
it recomputes agrees with Python to about 1e-12, not to the bit.
"""

import math
from functools import cache
from typing import cast

from ._graph import topological_order
from ._primitive import Primitive, primitives
from ._value import Value

FUNCTIONS = {
    "add": "(x,y)=>x+y",
    "sub": "(x,y)=>x-y",
    "mul": "(x,y)=>x*y",
    "div": "(x,y)=>x/y",
    "neg": "x=>-x",
    "pow": "(x,y)=>x===1||Math.abs(x)===1&&Math.abs(y)===Infinity?1:x**y",
    "strong_mul": "(x,y)=>x===0?0:x*y",
    "identity": "x=>x",
    "stop_gradient": "x=>x",
    "where": "(c,x,y)=>c!==0?x:y",
    "greater": "(x,y)=>x>y?1:0",
    "abs": "x=>Math.abs(x)",
    "sign": "x=>x>0?1:x<0?-1:x+0",
    "maximum": "(x,y)=>x!==x||y!==y?NaN:x>y?x:y",
    "minimum": "(x,y)=>x!==x||y!==y?NaN:x<y?x:y",
    "copysign": "(x,y)=>y!==y?y:y<0||Object.is(y,-0)?-Math.abs(x):Math.abs(x)",
    "floor": "x=>Math.floor(x)",
    "ceil": "x=>Math.ceil(x)",
    "round": "x=>{const f=Math.floor(x),d=x-f;return d<.5?f:d>.5||f%2?f+1:f}",
    "fmod": "(x,y)=>x%y",
    "exp": "x=>Math.exp(x)",
    "expm1": "x=>Math.expm1(x)",
    "exp2": "x=>2**x",
    "log": "x=>Math.log(x)",
    "log1p": "x=>Math.log1p(x)",
    "log2": "x=>Math.log2(x)",
    "log10": "x=>Math.log10(x)",
    "log_slope": "x=>x<0?NaN:1/x",
    "one_minus_square": "x=>Math.abs(x)>1?NaN:Math.abs(x)>.5?(1-x)*(1+x):1-x*x",
    "sqrt": "x=>Math.sqrt(x)",
    "cbrt": "x=>Math.cbrt(x)",
    "sin": "x=>Math.sin(x)",
    "cos": "x=>Math.cos(x)",
    "tan": "x=>Math.tan(x)",
    "asin": "x=>Math.asin(x)",
    "acos": "x=>Math.acos(x)",
    "atan": "x=>Math.atan(x)",
    "atan2": "(y,x)=>Math.atan2(y,x)",
    "sinh": "x=>Math.sinh(x)",
    "cosh": "x=>Math.cosh(x)",
    "tanh": "x=>Math.tanh(x)",
    "sech": "x=>(z=>2*z/(1+z*z))(Math.exp(-Math.abs(x)))",
    "sech_squared": "x=>(z=>4*z/((1+z)*(1+z)))(Math.exp(-2*Math.abs(x)))",
    "sigmoid_slope": "x=>(z=>z/((1+z)*(1+z)))(Math.exp(-Math.abs(x)))",
    "asinh": "x=>Math.asinh(x)",
    "acosh": "x=>Math.acosh(x)",
    "atanh": "x=>Math.atanh(x)",
    "hypot": "(x,y)=>Math.hypot(x,y)",
    "direction": "(x,y)=>x!==x||y!==y?NaN:x===0?x:Math.abs(x)>=Math.abs(y)?"
    "Math.sign(x)/Math.sqrt(1+(y/x)**2):(r=>r/Math.sqrt(1+r*r))(x/Math.abs(y))",
    "gauss": "x=>Math.exp(-x*x)",
    "erf": "x=>Math.abs(x)<2.5?series(x):Math.sign(x)*(1-tail(Math.abs(x)))",
    "erfc": "x=>x>=2.5?tail(x):x>-2.5?1-series(x):x!==x?x:2-tail(-x)",
    "lgamma": "x=>lnGamma(x)",
    "digamma": "x=>polyGamma(0,x)",
    "polygamma": "(n,x)=>polyGamma(n,x)",
    "relu": "x=>x>0||x!==x?x:0",
    "leaky_relu": "(x,s)=>x>0?x:s*x",
    "elu": "(x,a)=>x>0?x:a*Math.expm1(x)",
    "gelu": "x=>F.strong_mul(.5*F.erfc(-x*Math.SQRT1_2),x)",
    "silu": "x=>F.strong_mul(F.sigmoid(x),x)",
    "sigmoid": "x=>x>=0?1/(1+Math.exp(-x)):(z=>z/(1+z))(Math.exp(x))",
    "log_sigmoid": "x=>-F.softplus(-x)",
    "softplus": "x=>(x>0||x!==x?x:0)+Math.log1p(Math.exp(-Math.abs(x)))",
    "trunc": "x=>Math.trunc(x)",
    "mod": "(x,y)=>{const r=x%y;return r===0?(y<0||Object.is(y,-0)?-0:0):r<0!==y<0?r+y:r}",
    "floordiv": "(x,y)=>{if(y===0)return x/y;const r=x%y;let q=(x-r)/y;if(r!==0&&r<0!==y<0)q-=1;"
    "const f=Math.floor(q);return q===0?0*(x/y):q-f>.5?f+1:f}",
    "ieee_remainder": "(x,y)=>{const a=Math.abs(x),b=Math.abs(y),m=a%b,c=b-m,"
    "r=m<c?m:m>c?-c:m===c?m-2*(.5*(a-m)%b):m;return x<0||Object.is(x,-0)?-r:r}",
    "round_digits": "(x,n)=>{if(n!==Math.floor(n)||!(Math.abs(n)<=22))return NaN;"
    "if(!isFinite(x)||x===0)return x;const a=Math.abs(x),w=x<0?-1:1;"
    "if(n<0){const s=10**-n;return w*F.round(a/s)*s}if(a>=1e21)return x;"
    "let t=+a.toFixed(n);const h=a.toFixed(n+1),k=a*2**(n+1);"  # halves go to even digits
    "if(h.endsWith('5')&&+h===a&&k===Math.floor(k)&&'13579'.includes(a.toFixed(n).at(-1)))"
    "t=+(t-10**-n).toFixed(n);return w*t}",
    "logaddexp": "(x,y)=>x===y?x+Math.LN2:x!==x||y!==y?NaN:"
    "Math.max(x,y)+Math.log1p(Math.exp(-Math.abs(x-y)))",
    "xlogy": "(x,y)=>x===0?y!==y?NaN:0:x*Math.log(y)",
    "gamma": "x=>gammaOf(x)",
    "tanhshrink": "x=>{if(!(Math.abs(x)<1))return x-Math.tanh(x);let t=x,s=0;"
    "for(let k=1;k<12;k++){t*=x*x/(2*k)/(2*k+1);s+=2*k*t}return s/Math.cosh(x)}",
}
"""The value of each primitive in JavaScript; `F` holds the functions of this table."""

_USES = {
    "gelu": ("strong_mul", "erfc"),
    "silu": ("strong_mul", "sigmoid"),
    "log_sigmoid": ("softplus",),
    "round_digits": ("round",),
}

# erf near zero: the series of 2/sqrt(pi) exp(-x^2) sum 2^k x^(2k+1) / (2k+1)!! (all terms of one
# sign); erfc far out: its continued fraction from the far end (DLMF 7.6.2, 7.9.1).
_ERF = """
const series=x=>{let t=x,s=x;for(let k=1;k<60;k++){t*=2*x*x/(2*k+1);s+=t}
return s*Math.exp(-x*x)*2/Math.sqrt(Math.PI)};
const tail=x=>{let f=x;for(let k=80;k>0;k--)f=x+k/2/f;
return Math.exp(-x*x)/Math.sqrt(Math.PI)/f};"""

# Stirling's series and its derivatives after shifting the argument up, reflection below zero
# (DLMF 5.11.1, 5.5.3, 5.15.5, 5.15.6).
_GAMMA = """
const B=[1/6,-1/30,1/42,-1/30,5/66,-691/2730,7/6,-3617/510,43867/798,-174611/330];
const lnGamma=x=>{if(x!==x)return x;if(Math.abs(x)===Infinity)return Infinity;
if(x<=0){if(x===Math.floor(x))return Infinity;
return Math.log(Math.PI/Math.abs(Math.sin(Math.PI*(x-2*Math.floor(x/2)))))-lnGamma(1-x)}
let p=1;while(x<15){p*=x;x++}
let s=0;for(let k=10;k>0;k--)s=s/x/x+B[k-1]/(2*k*(2*k-1));
return (x-.5)*Math.log(x)-x+.9189385332046728+s/x-Math.log(p)};
const polyGamma=(n,x)=>{const odd=n%2;
if(n<0||n>60||n!==Math.floor(n)||x!==x||x===-Infinity)return NaN;
if(x===Infinity)return n?0:Infinity;
if(x<=0){if(x===0)return odd?Infinity:-1/x;if(x===Math.floor(x))return odd?Infinity:NaN;
let t=x-Math.floor(x);if(t>.5)t-=1;
const c=Math.cos(Math.PI*t)/Math.sin(Math.PI*t);let p=[0,1];
for(let i=0;i<n;i++){const q=Array(p.length+1).fill(0);
for(let j=1;j<p.length;j++){q[j-1]-=j*p[j];q[j+1]-=j*p[j]}p=q}
return (odd?-1:1)*polyGamma(n,1-x)-Math.PI**(n+1)*p.reduceRight((s,a)=>s*c+a,0)}
let f=1;for(let i=2;i<=n;i++)f*=i;
let h=0;while(x<15+n){h+=f/x**(n+1);x++}
let s=0;for(let k=10;k>0;k--){let a=n?1:1/(2*k);for(let j=1;j<n;j++)a*=2*k+j;s=s/x/x+B[k-1]*a}
return n?(odd?1:-1)*((f/n+.5*f/x+s/x/x)/x**n+h):Math.log(x)-.5/x-s/x/x-h};"""

# The gamma function by recurrence from [1.5, 2.5), and by reflection (DLMF 5.5.1, 5.5.3).
_GAMMA_OF = """
const gammaOf=x=>{if(x===0)return 1/x;if(x===-Infinity||x<0&&x===Math.floor(x))return NaN;
if(x<.5){const t=x-Math.floor(x+.5),s=Math.sin(Math.PI*t)*(Math.floor(x+.5)%2?-1:1);
return Math.PI/s/gammaOf(1-x)}
if(!(x<172))return x===x?Infinity:x;let p=1;while(x>2.5){x-=1;p*=x}
return p*Math.exp(lnGamma(x))};"""

_HELPERS = {
    "erf": (_ERF,),
    "erfc": (_ERF,),
    "lgamma": (_GAMMA,),
    "polygamma": (_GAMMA,),
    "digamma": (_GAMMA,),
    "gamma": (_GAMMA, _GAMMA_OF),
}
_INFIX = {"add": "+", "sub": "-", "mul": "*", "div": "/"}


def emit(names: list[str], partials: bool = True) -> str:
    """JavaScript that defines `F` (values) and, if asked for, `D` (partials) of the primitives
    `names`, and what they lean on."""
    table = primitives()
    needed: dict[str, None] = {}
    stack = list(reversed(names))
    derivatives = []
    for name in names if partials else ():
        sources, uses = _partials(table[name])
        stack += uses
        selects = ",1" if table[name].selects else ""
        derivatives.append(f"{name}:[[{','.join(sources)}]{selects}]")
    while stack:
        name = stack.pop()
        if name not in needed:
            needed[name] = None
            stack += _USES.get(name, ())
    helpers = "".join(dict.fromkeys(h for name in needed for h in _HELPERS.get(name, ())))
    functions = ",".join(f"{name}:{FUNCTIONS[name]}" for name in sorted(needed))
    if not partials:
        return f"{helpers}\nconst F={{{functions}}};\n"
    return f"{helpers}\nconst F={{{functions}}},\nD={{{','.join(derivatives)}}};\n"


@cache
def _partials(primitive: Primitive) -> tuple[list[str], list[str]]:
    """The partials of `primitive` as JavaScript functions of (out, *args); what they call."""
    names = ["o", *"xyz"[: primitive.arity]]
    sources, uses = [], []
    for partial in primitive.partials:
        if partial is None:
            sources.append("0")
            continue
        leaves = [Value(0.5, name) for name in names]
        body, called = _expression(partial(*leaves))
        uses += called
        sources.append(f"({','.join(names)})=>{body}")
    return sources, uses


def _expression(result: Value | float) -> tuple[str, list[str]]:
    """What `result` recorded, as one JavaScript expression over the labels of its leaves."""
    if not isinstance(result, Value):
        return javascript_number(float(result)), []
    text: dict[Value, str] = {}
    uses = []
    for value in cast(list[Value], topological_order(result)):
        words = [text[x] if isinstance(x, Value) else javascript_number(x) for x in value.operands]
        if not value.op:
            text[value] = value.label
        elif value.op in _INFIX:
            text[value] = f"({words[0]}{_INFIX[value.op]}{words[1]})"
        else:
            uses.append(value.op)
            text[value] = f"F.{value.op}({','.join(words)})"
    return text[result], uses


def javascript_number(x: float) -> str:
    """`x` as a JavaScript literal, in brackets where it has a sign."""
    if math.isnan(x):
        return "NaN"
    if math.isinf(x):
        return "Infinity" if x > 0 else "(-Infinity)"
    text = repr(int(x)) if x == int(x) and abs(x) < 1e15 and str(x) != "-0.0" else repr(x)
    return f"({text})" if text.startswith("-") else text
