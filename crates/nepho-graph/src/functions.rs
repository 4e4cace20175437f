//! The functions there are: names, numbers of arguments, and the types they take and give where those are fixed.

use crate::resolve::types::Type;

macro_rules! functions {
    ($($variant:ident $name:literal $least:literal $most:literal $of:ident $gives:ident $doc:literal
        $arguments:literal $example:literal $value:literal;)*) => {
        /// A function.
        #[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
        pub(crate) enum Function {
            $(#[doc = $doc] $variant,)*
        }

        const TABLE: &[(Signature, FunctionDoc)] = &[
            $((
                Signature {
                    function: Function::$variant,
                    least: $least,
                    most: $most,
                    takes: Type::$of,
                    gives: Type::$gives,
                },
                FunctionDoc { name: $name, arguments: $arguments, doc: $doc, example: $example, value: $value },
            ),)*
        ];
    };
}

functions! {
    Abs "abs" 1 1 Number Number "The size of a number."
        "number" "abs(-3)" "3";
    Acos "acos" 1 1 Number Float "Arc cosine."
        "number" "acos(1.0)" "0.0";
    AgeDays "age_days" 1 1 Any Int "Whole days from a point in time to the graph's clock."
        "time" "age_days(datetime('2026-10-22T00:00Z'))" "10";
    Asin "asin" 1 1 Number Float "Arc sine."
        "number" "asin(0.0)" "0.0";
    Atan "atan" 1 1 Number Float "Arc tangent."
        "number" "atan(0.0)" "0.0";
    Atan2 "atan2" 2 2 Number Float "Arc tangent of a point."
        "y, x" "atan2(0.0, 1.0)" "0.0";
    Ceil "ceil" 1 1 Number Float "The next whole number up."
        "number" "ceil(1.2)" "2.0";
    CidrContains "cidr_contains" 2 2 Any Bool "Whether the first network holds the second."
        "outer, inner" "cidr_contains('10.0.0.0/8', '10.1.0.0/16')" "true";
    Coalesce "coalesce" 1 255 Any Any "The first argument that is not null; unknown where one before it is unknown."
        "value, …" "coalesce(null, 1, 2)" "1";
    Cos "cos" 1 1 Number Float "Cosine."
        "number" "cos(0.0)" "1.0";
    Cot "cot" 1 1 Number Float "Cotangent."
        "number" "cot(0.0) > 1" "true";
    Date "date" 0 1 Any Temporal "A date."
        "text, map or time?" "date('2024-02-29')" "date({year: 2024, month: 2, day: 29})";
    DateTruncate "date.truncate" 1 3 Any Temporal "A date cut to a unit."
        "unit, time?, map?" "date.truncate('month', date('2024-02-29'))" "date('2024-02-01')";
    DateTime "datetime" 0 1 Any Temporal "A point in time."
        "text, map or time?" "datetime({year: 2024, month: 7, day: 1, hour: 12, timezone: 'Europe/Stockholm'})"
        "datetime('2024-07-01T12:00+02:00[Europe/Stockholm]')";
    DateTimeFromEpoch "datetime.fromepoch" 2 2 Any Temporal "A point in time out of seconds and nanoseconds."
        "seconds, nanoseconds" "datetime.fromepoch(60, 0)" "datetime('1970-01-01T00:01Z')";
    DateTimeFromEpochMillis "datetime.fromepochmillis" 1 1 Any Temporal "A point in time out of milliseconds."
        "milliseconds" "datetime.fromepochmillis(60000)" "datetime('1970-01-01T00:01Z')";
    DateTimeTruncate "datetime.truncate" 1 3 Any Temporal "A point in time cut to a unit."
        "unit, time?, map?" "datetime.truncate('hour', datetime('2024-02-29T12:34Z'))" "datetime('2024-02-29T12:00Z')";
    Degrees "degrees" 1 1 Number Float "Radians as degrees."
        "radians" "degrees(0.0)" "0.0";
    Duration "duration" 1 1 Any Temporal "A duration out of text or a map."
        "text or map" "duration({days: 1, hours: 12})" "duration('P1DT12H')";
    DurationBetween "duration.between" 2 2 Any Temporal "From one point in time to another."
        "from, to" "duration.between(date('2024-01-31'), date('2024-03-01'))" "duration('P1M1D')";
    DurationInDays "duration.indays" 2 2 Any Temporal "Whole days from one point in time to another."
        "from, to" "duration.indays(date('2024-02-01'), date('2024-03-01'))" "duration('P29D')";
    DurationInMonths "duration.inmonths" 2 2 Any Temporal "Whole months from one point in time to another."
        "from, to" "duration.inmonths(date('2024-01-31'), date('2024-03-30'))" "duration('P1M')";
    DurationInSeconds "duration.inseconds" 2 2 Any Temporal "Seconds from one point in time to another."
        "from, to" "duration.inseconds(localtime('12:00'), localtime('13:30'))" "duration('PT1H30M')";
    E "e" 0 0 Any Float "Euler's number."
        "" "e() > 2.71" "true";
    ElementId "elementid" 1 1 Any String "The element's number as text."
        "node or relation" "elementid(a) = elementid(b)" "false";
    EndNode "endnode" 1 1 Relation Node "Where a relation ends."
        "relation" "endnode(r) = b" "true";
    Exists "exists" 1 1 Any Bool "Whether a property is there."
        "property" "exists(a.n)" "true";
    Exp "exp" 1 1 Number Float "The exponential."
        "number" "exp(0.0)" "1.0";
    Floor "floor" 1 1 Number Float "The next whole number down."
        "number" "floor(1.8)" "1.0";
    Glob "glob" 2 2 Any Bool "Whether a text matches a pattern of `*` and `?`."
        "pattern, text" "glob('arn:*:role/ad?in', 'arn:aws:iam::1:role/admin')" "true";
    Haversin "haversin" 1 1 Number Float "Half the versine."
        "number" "haversin(0.0)" "0.0";
    Head "head" 1 1 List Any "A list's first element."
        "list" "head([1, 2])" "1";
    Id "id" 1 1 Any Int "The element's number."
        "node or relation" "id(a) = id(b)" "false";
    IpIn "ip_in" 2 2 Any Bool "Whether an address is in a network."
        "address, network" "ip_in('10.1.2.3', '10.0.0.0/8')" "true";
    IsPublicIp "is_public_ip" 1 1 Any Bool "Whether an address, or a whole network, is reachable from the internet."
        "address or network" "is_public_ip('10.0.0.1')" "false";
    IsEmpty "isempty" 1 1 Any Bool "Whether a text, list or map is empty."
        "text, list or map" "isempty('')" "true";
    IsNaN "isnan" 1 1 Number Bool "Whether a number is none."
        "number" "isnan(0.0 / 0.0)" "true";
    Keys "keys" 1 1 Any List "The names of the properties that are there."
        "node, relation or map" "keys({x: 1, y: null})" "['x', 'y']";
    Labels "labels" 1 1 Node List "A node's labels."
        "node" "labels(b)" "['B']";
    Last "last" 1 1 List Any "A list's last element."
        "list" "last([1, 2])" "2";
    Left "left" 2 2 Any String "The first characters."
        "text, length" "left('abc', 2)" "'ab'";
    Length "length" 1 1 Path Int "How many relations a path has."
        "path" "length(p)" "1";
    LocalDateTime "localdatetime" 0 1 Any Temporal "A day and time without offset."
        "text, map or time?" "localdatetime('2024-02-29T12:00')" "localdatetime({year: 2024, month: 2, day: 29, hour: 12})";
    LocalDateTimeTruncate "localdatetime.truncate" 1 3 Any Temporal "A day and time without offset cut to a unit."
        "unit, time?, map?" "localdatetime.truncate('year', localdatetime('2024-02-29T12:00'))" "localdatetime('2024-01-01T00:00')";
    LocalTime "localtime" 0 1 Any Temporal "A time of day without offset."
        "text, map or time?" "localtime('12:34')" "localtime({hour: 12, minute: 34})";
    LocalTimeTruncate "localtime.truncate" 1 3 Any Temporal "A time of day without offset cut to a unit."
        "unit, time?, map?" "localtime.truncate('hour', localtime('12:34'))" "localtime('12:00')";
    Log "log" 1 1 Number Float "The natural logarithm."
        "number" "log(1.0)" "0.0";
    Log10 "log10" 1 1 Number Float "The decimal logarithm."
        "number" "log10(100.0)" "2.0";
    LTrim "ltrim" 1 1 Any String "Text without space at its start."
        "text" "ltrim('  a ')" "'a '";
    Nodes "nodes" 1 1 Path List "A path's nodes."
        "path" "nodes(p) = [a, b]" "true";
    NullIf "nullif" 2 2 Any Any "The first argument, null where the two are equal."
        "value, other" "nullif(1, 1)" "null";
    Pi "pi" 0 0 Any Float "The circle's number."
        "" "pi() > 3.14" "true";
    Properties "properties" 1 1 Any Map "The properties as a map."
        "node, relation or map" "properties(r)" "{w: 1}";
    Radians "radians" 1 1 Number Float "Degrees as radians."
        "degrees" "radians(0.0)" "0.0";
    Rand "rand" 0 0 Any Float "A number from 0 to 1 that follows from the row's place: the same query gives the same answer."
        "" "rand() < 1" "true";
    Range "range" 2 3 Any List "Whole numbers from the first to the second, both included."
        "first, last, step?" "range(1, 5, 2)" "[1, 3, 5]";
    Relationships "relationships" 1 1 Path List "A path's relations."
        "path" "relationships(p) = [r]" "true";
    Rels "rels" 1 1 Path List "A path's relations."
        "path" "rels(p) = [r]" "true";
    Replace "replace" 3 3 Any String "Text with every occurrence of one text replaced by another."
        "text, old, new" "replace('a-b-c', '-', '+')" "'a+b+c'";
    Reverse "reverse" 1 1 Any Any "A text or list backwards."
        "text or list" "reverse([1, 2])" "[2, 1]";
    Right "right" 2 2 Any String "The last characters."
        "text, length" "right('abc', 2)" "'bc'";
    Round "round" 1 2 Number Float "The nearest number with so many decimals, half away from zero."
        "number, decimals?" "round(2.345, 1)" "2.3";
    RTrim "rtrim" 1 1 Any String "Text without space at its end."
        "text" "rtrim(' a  ')" "' a'";
    Sign "sign" 1 1 Number Int "-1, 0 or 1."
        "number" "sign(-0.5)" "-1";
    Sin "sin" 1 1 Number Float "Sine."
        "number" "sin(0.0)" "0.0";
    Size "size" 1 1 Sized Int "How many elements a list or characters a text has."
        "text or list" "size('äöü')" "3";
    Split "split" 2 2 Any List "Text cut at every occurrence of another."
        "text, separator" "split('a,b', ',')" "['a', 'b']";
    Sqrt "sqrt" 1 1 Number Float "The square root."
        "number" "sqrt(4.0)" "2.0";
    StartNode "startnode" 1 1 Relation Node "Where a relation starts."
        "relation" "startnode(r) = a" "true";
    Substring "substring" 2 3 Any String "Characters from a position counted from 0, so many."
        "text, start, length?" "substring('abcde', 1, 3)" "'bcd'";
    Tail "tail" 1 1 List List "All but a list's first element."
        "list" "tail([1, 2, 3])" "[2, 3]";
    Tan "tan" 1 1 Number Float "Tangent."
        "number" "tan(0.0)" "0.0";
    Time "time" 0 1 Any Temporal "A time of day."
        "text, map or time?" "time('12:34+01:00')" "time({hour: 12, minute: 34, timezone: '+01:00'})";
    TimeTruncate "time.truncate" 1 3 Any Temporal "A time of day cut to a unit."
        "unit, time?, map?" "time.truncate('hour', time('12:34+01:00'))" "time('12:00+01:00')";
    Timestamp "timestamp" 0 0 Any Int "The clock in milliseconds since 1970."
        "" "timestamp() > 0" "true";
    ToBoolean "toboolean" 1 1 Any Bool "As a boolean, null where it reads as none."
        "value" "toboolean('true')" "true";
    ToBooleanOrNull "tobooleanornull" 1 1 Any Bool "As `toBoolean`, null for any type that it refuses."
        "value" "tobooleanornull([1])" "null";
    ToFloat "tofloat" 1 1 Any Float "As a float, null where it reads as none."
        "value" "tofloat('1.5')" "1.5";
    ToFloatOrNull "tofloatornull" 1 1 Any Float "As `toFloat`, null for any type that it refuses."
        "value" "tofloatornull([1])" "null";
    ToInteger "tointeger" 1 1 Any Int "As a whole number, null where it reads as none."
        "value" "tointeger('12')" "12";
    ToIntegerOrNull "tointegerornull" 1 1 Any Int "As `toInteger`, null for any type that it refuses."
        "value" "tointegerornull([1])" "null";
    ToLower "tolower" 1 1 Any String "In small letters."
        "text" "tolower('AbC')" "'abc'";
    ToString "tostring" 1 1 Any String "As text."
        "value" "tostring(1.0)" "'1.0'";
    ToStringOrNull "tostringornull" 1 1 Any String "As `toString`, null for any type that it refuses."
        "value" "tostringornull([1])" "null";
    ToUpper "toupper" 1 1 Any String "In capital letters."
        "text" "toupper('AbC')" "'ABC'";
    Trim "trim" 1 1 Any String "Text without space at either end."
        "text" "trim(' a ')" "'a'";
    Type "type" 1 1 Relation String "A relation's type."
        "relation" "type(r)" "'R'";
}

/// What a function takes and gives.
#[derive(Clone, Copy)]
pub(crate) struct Signature {
    pub function: Function,
    pub least: usize,
    pub most: usize,
    /// Type of every argument.
    pub takes: Type,
    pub gives: Type,
}

/// What people are told of a function.
#[derive(Clone, Copy, Debug)]
pub struct FunctionDoc {
    /// Its name in small letters; it may be written in any case.
    pub name: &'static str,
    /// The arguments, one with `?` may be left out.
    pub arguments: &'static str,
    /// One line.
    pub doc: &'static str,
    /// An expression with it, over the graph that [`crate::reference`] describes.
    pub example: &'static str,
    /// The value of the example, as an expression.
    pub value: &'static str,
}

/// The function of this name, in any case.
pub(crate) fn named(name: &str) -> Option<Signature> {
    let name = name.to_lowercase();
    let name = match name.as_str() {
        "lower" => "tolower",
        "upper" => "toupper",
        "ceiling" => "ceil",
        "char_length" | "character_length" => "size",
        // There is one clock, and a query sees it stand still.
        other => ["transaction", "statement", "realtime"]
            .iter()
            .find_map(|clock| other.strip_suffix(clock)?.strip_suffix('.'))
            .unwrap_or(other),
    };
    TABLE.iter().find(|(_, doc)| doc.name == name).map(|(signature, _)| *signature)
}

/// Every function.
pub fn function_docs() -> impl Iterator<Item = FunctionDoc> {
    TABLE.iter().map(|(_, doc)| *doc)
}

/// Every name, for suggestions.
pub(crate) fn names() -> impl Iterator<Item = &'static str> {
    TABLE.iter().map(|(_, doc)| doc.name)
}
