"""The paper's tables, for the target `paper`: what the config's section paper asks for.

in   results/{dataset}/{variant}/round_{k}/scores/{test}.csv, model.json, cost.json
     results/{dataset}/tables/comparison.csv                Table 1; see comparison.smk
out  results/{dataset}/tables/{name}.csv, .md, .tex
"""


rule paper:
    input:
        results_wanted(),
        paper_wanted(),
        f"results/{plan.dataset}/report.html",
    localrule: True


rule tabulate_paper:
    input:
        files_of_table,
    output:
        **table("{table}"),
    wildcard_constraints:
        table="|".join(TABLES) or "none",
    localrule: True
    params:
        title=lambda wildcards: TABLES[wildcards.table].title,
        rows=rows_of_table,
        version=VERSIONS["tabulate_paper"],
    script:
        "../scripts/tabulate_paper.py"


rule judge_claims:
    input:
        judged_tables(),
    output:
        **table("claims"),
    localrule: True
    params:
        steps=paper_steps(),
        left_out=left_out(),
        version=VERSIONS["judge_claims"],
    script:
        "../scripts/judge_claims.py"
