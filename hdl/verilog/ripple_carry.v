// Carry chain of an adder as a plain ripple: the smallest form, where Yosys would build a look-ahead tree.
(* techmap_celltype = "$lcu" *)
module ripple_carry (P, G, CI, CO);
    parameter WIDTH = 1;
    input [WIDTH-1:0] P;
    input [WIDTH-1:0] G;
    input CI;
    output [WIDTH-1:0] CO;

    genvar i;
    generate
        for (i = 0; i < WIDTH; i = i + 1) begin : bits
            if (i == 0)
                assign CO[i] = G[i] | (P[i] & CI);
            else
                assign CO[i] = G[i] | (P[i] & CO[i-1]);
        end
    endgenerate
endmodule
