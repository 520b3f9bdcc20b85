# Item response models by R: run from the repository as
#   Rscript tests/golden/psychometrics/irt.R tests/golden/psychometrics [folder with lsat.csv and science.csv]
# Needs mirt (1.41) and jsonlite. Writes irt.json beside this script. The second folder holds the
# public data sets of the R package ltm; they are not kept here.
suppressPackageStartupMessages({ library(jsonlite); library(mirt) })
args <- commandArgs(trailingOnly = TRUE)
here <- args[1]
num <- function(x) unname(as.numeric(x))
rows <- function(m) unname(lapply(seq_len(nrow(m)), function(i) num(m[i, ])))
TOL <- 1e-9
tech <- list(NCYCLES = 20000)

fit <- function(d, type, errors = "Oakes") {
  m <- mirt(d, 1, itemtype = type, SE = TRUE, SE.type = errors, verbose = FALSE, TOL = TOL, technical = tech)
  list(m = m, table = coef(m, printSE = TRUE))
}
# slope and intercepts with their standard errors, item by item (the constants of the gpcm left out)
table_of <- function(f, items) lapply(setNames(items, items), function(i) {
  t <- f$table[[i]]; k <- colnames(t); keep <- grepl("^a1$|^d[0-9]*$", k) & !(k == "d0")
  list(value = num(t["par", keep]), se = num(t["SE", keep]))
})
scored <- function(m, n = 30) {
  out <- lapply(setNames(c("EAP", "MAP", "WLE"), c("eap", "map", "wle")), function(w) {
    s <- fscores(m, method = w, full.scores.SE = TRUE, verbose = FALSE)
    list(theta = num(s[1:n, 1]), se = num(s[1:n, 2])) })
  out
}
all_of <- function(d, type) {
  f <- fit(d, type); x <- fit(d, type, "crossprod")
  zh <- personfit(f$m, method = "MAP")
  cc <- d[complete.cases(d), ]
  g <- fit(cc, type)  # S-X2 needs complete forms
  sx <- itemfit(g$m, fit_stats = "S_X2", S_X2.tables = FALSE, mincell = 0)
  list(log_likelihood = f$m@Fit$logLik, observed = table_of(f, names(d)), cross_product = lapply(table_of(x, names(d)), `[[`, "se"),
       scores = scored(f$m), lz = num(zh$Zh)[1:30], information = num(testinfo(f$m, matrix(-3:3))),
       s_x2 = list(statistic = num(sx$S_X2), df = num(sx$df.S_X2)))
}

two <- read.csv(file.path(here, "two_groups.csv")); items <- names(two)[-1]; group <- paste0("g", two$group)
out <- list(about = list(R = R.version.string, mirt = as.character(packageVersion("mirt"))))
out$graded <- all_of(two[items], "graded")
out$partial_credit <- all_of(two[items], "gpcm")
binary <- two[items]; binary[] <- lapply(binary, function(x) as.integer(x >= 2))
out$two_parameter <- all_of(binary, "2PL")

# Two groups: every item the same but q3 and q6; and likelihood-ratio tests of each item against all others.
anchors <- setdiff(items, c("q3", "q6"))
mg <- multipleGroup(two[items], 1, group = group, itemtype = "graded", invariance = c(anchors, "free_means", "free_var"),
                    SE = TRUE, SE.type = "Oakes", verbose = FALSE, TOL = TOL, technical = tech)
co <- coef(mg, printSE = TRUE)
each <- function(g) lapply(setNames(items, items), function(i) {
  t <- co[[g]][[i]]; num(t["par", grepl("^a1$|^d", colnames(t))]) })
gp <- co$g1$GroupPars
out$groups <- list(log_likelihood = mg@Fit$logLik, g0 = each("g0"), g1 = each("g1"),
                   mean = num(gp["par", "MEAN_1"]), mean_se = num(gp["SE", "MEAN_1"]), variance = num(gp["par", "COV_11"]), variance_se = num(gp["SE", "COV_11"]))
whole <- multipleGroup(two[items], 1, group = group, itemtype = "graded", invariance = c(items, "free_means", "free_var"),
                       verbose = FALSE, TOL = TOL, technical = tech)
lr <- sapply(items, function(i) {
  f <- multipleGroup(two[items], 1, group = group, itemtype = "graded", invariance = c(setdiff(items, i), "free_means", "free_var"),
                     verbose = FALSE, TOL = TOL, technical = tech)
  2 * (f@Fit$logLik - whole@Fit$logLik) })
out$likelihood_ratio <- list(log_likelihood = whole@Fit$logLik, statistic = as.list(lr))

# Linking of two separate calibrations (parameters rounded as given below, so that both programs link the same).
one <- list(a = c(1.10, 1.45, 0.90, 1.80), b = rbind(c(-1.2, 0.1, 1.3), c(-0.8, 0.4, 1.1), c(-1.5, -0.2, 1.9), c(-0.4, 0.6, 1.4)))
other <- list(a = c(1.35, 1.70, 1.20, 2.25), b = rbind(c(-1.4, -0.4, 0.6), c(-1.0, -0.1, 0.4), c(-1.7, -0.5, 1.1), c(-0.8, 0.1, 0.7)))
# The criteria as their authors define them, minimised by nlminb over a standard normal trait on the other's scale.
curves <- function(model, a, b, t) lapply(seq_along(a), function(i) {
  x <- outer(t, b[i, ], function(t, b) a[i] * (t - b))
  if (model == "graded") { above <- cbind(1, plogis(x), 0); above[, -5] - above[, -1] }
  else { e <- exp(cbind(0, t(apply(x, 1, cumsum)))); e / rowSums(e) } })
linked <- function(model) {
  t <- seq(-6, 6, length.out = 61); w <- dnorm(t) / sum(dnorm(t))
  goal <- curves(model, other$a, other$b, t); score <- function(p) Reduce(`+`, lapply(p, function(q) q %*% 0:3))
  moved <- function(k) curves(model, one$a / k[1], k[1] * one$b + k[2], t)
  hb <- function(k) sum(mapply(function(p, q) sum(w * (p - q)^2), moved(k), goal))
  sl <- function(k) sum(w * (score(moved(k)) - score(goal))^2)
  best <- function(f) nlminb(c(1, 0), f, control = list(rel.tol = 1e-14, x.tol = 1e-12))$par
  sd0 <- function(x) sqrt(mean((x - mean(x))^2)); k <- sd0(other$b) / sd0(one$b); m <- mean(one$a) / mean(other$a)
  list(mean_sigma = c(k, mean(other$b) - k * mean(one$b)), mean_mean = c(m, mean(other$b) - m * mean(one$b)), haebara = best(hb), stocking_lord = best(sl)) }
out$link <- list(one = list(a = one$a, b = rows(one$b)), other = list(a = other$a, b = rows(other$b)), graded = linked("graded"), partial_credit = linked("gpcm"))

# The public data sets, complete and small.
if (length(args) > 1) {
  lsat <- read.csv(file.path(args[2], "lsat.csv")); names(lsat) <- paste0("item", 1:5)
  science <- read.csv(file.path(args[2], "science.csv"))[c("Comfort", "Work", "Future", "Benefit")]
  out$lsat <- all_of(lsat, "2PL"); out$science <- all_of(science, "graded"); out$science_partial_credit <- all_of(science, "gpcm")
}
write(toJSON(out, auto_unbox = TRUE, digits = 10, na = "null"), file.path(here, "irt.json"))
