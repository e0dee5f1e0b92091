// What attacks are made of, as words in both languages.
#include "feature_set.h"

namespace heng::guard_injection {
namespace {

enum Kind : std::uint8_t {
  k_override, k_instruction, k_prior, k_reveal, k_secret, k_role, k_unbound, k_model, k_order, k_send, k_act, k_cipher, k_hide, k_harm, k_reply, k_frame, k_authority, k_others
};

struct Group {
  Kind kind;
  const char* words;   // separated by '|'
};

constexpr Group groups[] = {
    {k_override, "ignore|ignoring|disregard|forget|override|overrule|bypass|circumvent|skip|discard|drop|abandon|neglect|pay no attention|stop following|do not follow|don't follow|no longer follow|set aside|throw away|throw out|erase|wipe|cancel all|"
                 "supersede|overwrite|rather than following|do not obey|not bound by|never mind|wipe out|violate|break free|ignorez|ignora|olvida|vergiss|ignoriere|oublie|"
                 "忽略|无视|忘记|忘掉|忘了|不要遵守|不用遵守|不遵守|不再遵守|跳过|绕过|绕开|抛开|抛弃|放弃|不必理会|不要理会|不用理会|不理会|别管|不用管|撤销|作废|失效|清除|覆盖|推翻|违反|不受|摆脱|丢掉|删掉|取消所有|停止执行|解除"},
    {k_instruction, "instruction|prompt|rules|rule|guideline|directive|policies|policy|restriction|safeguard|filter|constraint|guardrail|programming|the context|orders|limitations|ethics|moral|safety|content policy|alignment|instrucciones|anweisungen|"
                    "指令|规则|提示词|限制|约束|设定|指示|上文|安全策略|过滤|准则|规定|命令|安全机制|道德|审查|护栏|防护"},
    {k_prior, "previous|prior|above|earlier|preceding|foregoing|before this|so far|initial|original|everything|up to now|old ones|anterior|vorherigen|précédentes|之前|以上|前面|上面|先前|此前|所有|一切|原来|最初|刚才|全部|以往|上述"},
    {k_reveal, "reveal|show|print|repeat|output|display|leak|disclose|tell me|share|dump|expose|give me|write out|copy|recite|quote|list|provide|hand over|spell out|translate|summarize|summarise|显示|输出|打印|告诉我|泄露|透露|复述|重复|公开|说出|列出|展示|交出|提供|导出|背出|写出来|翻译"},
    {k_secret, "system prompt|initial prompt|hidden prompt|your prompt|your instructions|developer message|system message|secret|password|api key|credential|confidential|configuration|internal instructions|first message|internal rules|hidden text|your rules|your guidelines|canary|training data|"
               "above text|text above|系统提示|提示词|初始指令|隐藏指令|内部指令|密钥|口令|机密|系统消息|系统指令|你的指令|你的设定|后台|内部规则|隐藏内容|训练数据|系统设定|管理员密码|初始设定|预设"},
    {k_role, "you are now|act as|acting as|pretend|roleplay|role-play|role play|from now on|imagine you|simulate|persona|play the role|take on the role|you will be|become|behave as|behave like|speak as|stay in character|in character|you're now|let's play|"
             "你现在是|从现在起|从现在开始|扮演|假装|角色扮演|模拟|想象你|你就是|充当|变成|化身|设想你|你将作为|以后你|接下来你是"},
    {k_unbound, "dan |do anything now|developer mode|dev mode|jailbreak|unrestricted|no restrictions|without restrictions|without any restrictions|uncensored|unfiltered|no filter|no rules|without rules|without limits|no limits|anything goes|god mode|sudo|admin mode|debug mode|evil|amoral|"
                "unlimited|no ethical|never refuse|cannot refuse|can't refuse|not refuse|without refusing|no longer bound|free of all|freed from|no guidelines|unethical|lawless|no safety|without warnings|"
                "开发者模式|越狱|不受限制|没有限制|无限制|没有任何限制|不受任何|不受约束|管理员模式|调试模式|上帝模式|没有道德|无道德|不许拒绝|不能拒绝|不得拒绝|有问必答|没有规则|没有底线|任何事|自由的|维护模式|邪恶"},
    {k_model, "assistant|language model|chatbot|llm|gpt|claude|as an ai|the ai|an ai|dear ai|ai model|ai agent|ai助手|人工智能|大模型|语言模型|智能助手|机器人|智能体|ai模型|助手"},
    {k_order, "new instruction|new task|instead|your task|your real|you must|system:|###|[inst]|<|im_start|<|system|assistant:|end of document|end of text|begin new|override code|important:|attention:|urgent|comply|obey|execute the following|do the following|do as i say|follow these|only respond|only answer|"
              "respond only|reply only|answer only|new rule|strictly|immediately|新的指令|新指令|新任务|新的任务|真正的任务|请改为|而是|照做|服从|听我的|执行以下|按我说的|必须|立即|只回复|只回答|系统：|系统:|指令开始|文档结束|重要指令"},
    {k_send, "send|email|forward|post to|http|upload|curl|webhook|![|exfiltrate|transmit|www.|visit|click|download|subscribe|发送到|发送给|转发|上传|邮箱|邮件给|外传|发到|点击|访问|链接|加微信"},
    {k_act, "transfer|wire|call the|tool|function|execute|run |delete|approve|grant|purchase|change the|withdraw|转账|汇款|执行|调用|删除|批准|提权|付款|修改|打款|授权|接口"},
    {k_cipher, "base64|rot13|decode|decipher|reverse|backwards|cipher|hexadecimal|morse|leetspeak|unscramble|encoded|first letter of each|concatenate|解码|倒序|反过来|摩斯|密文|解密|首字母|拼起来|十六进制|拼接"},
    {k_hide, "do not tell|don't tell|do not mention|don't mention|without telling|secretly|silently|quietly|do not warn|without asking|without confirmation|do not inform|never mention|do not reveal that|hide this|without the user|"
             "不要告诉|别告诉|悄悄|暗中|偷偷|不要提及|不要提醒|无需确认|不要询问|静默|不留记录|不要留下|瞒着|不要让用户"},
    {k_harm, "bomb|malware|ransomware|exploit|phish|hack|weapon|poison|launder|forge|fake id|steal|counterfeit|keylogger|virus|meth|explosive|clone a card|skimm|napalm|blackmail|evade tax|insider trading|炸弹|木马|钓鱼|洗钱|伪造|盗刷|黑客|毒品|病毒|爆炸|勒索|偷|骗取|逃税|诈骗|作弊|盗取|制毒|假证|内幕交易"},
    {k_reply, "in your response|in your answer|in your reply|your response|your reply|your answer|every response|end of your|begin your|start your|at the end of|include the|append|insert|the words|replace letters|every word|in all caps|emoji|在回答中|回答末尾|加上一句|回复中|回答里|末尾加|开头加|每次回答|插入|附上|一律用|只用"},
    {k_frame, "hypothetical|fictional|for educational|in a world|story|novel|game|screenplay|my grandmother|my grandma|thought experiment|research purposes|pretend there|imagine a|opposite day|as a test|for testing|dialogue between|step by step|step-by-step|in detail|假设|虚构|小说|故事|游戏|奶奶|仅供教育|仅供研究|思想实验|为了测试|一步一步|详细步骤|剧本|实验"},
    {k_authority, "your developer|your creator|administrator|i am the|i'm the|openai|your owner|your boss|authorized|authorised|permission|i order|i command|ceo|security team|root access|verified user|clearance|开发者|创造者|管理员|你的主人|我命令|我授权|授权你|有权限|安全部|上级|工程师|监管|已验证|最高权限"},
    {k_others, "other customer|other users|all customers|previous user|another user|another customer|everyone's|all users|customer list|database|other clients|all records|other people|其他客户|别的用户|上一个用户|所有客户|客户名单|其他用户|数据库|他人|别人的|所有人的"},
};

}  // namespace

Result<std::unique_ptr<Concepts>> Concepts::create() {
  auto out = std::make_unique<Concepts>();
  std::vector<guard_text::Literal> literals;
  for (const auto& group : groups) {
    std::string_view rest = group.words;
    while (!rest.empty()) {
      // "<|im_start" holds the separator: words are separated by '|' that no '<' precedes
      std::size_t end = rest.find('|', 1);
      while (end != std::string_view::npos && rest[end - 1] == '<') end = rest.find('|', end + 1);
      const auto word = rest.substr(0, end);
      rest = end == std::string_view::npos ? std::string_view() : rest.substr(end + 1);
      literals.push_back({std::string(word), false});
      out->kind_.push_back(group.kind);
      out->latin_.push_back(word[0] >= 'a' && word[0] <= 'z');
      if (out->latin_.back() || static_cast<unsigned char>(word[0]) >= 0x80) out->words_[group.kind * 2 + out->latin_.back()].emplace_back(word);
    }
  }
  out->literals_ = HENG_TRY(guard_text::Literals::create(literals));
  return out;
}

Result<std::vector<Concepts::Hit>> Concepts::find(std::string_view text) const {
  std::vector<Hit> out;
  HENG_TRY(literals_->scan(text, [&](std::size_t id, std::size_t begin, std::size_t end) {
    if (latin_[id] && begin > 0 && text[begin - 1] >= 'a' && text[begin - 1] <= 'z') return;
    out.push_back({kind_[id], static_cast<std::uint32_t>(begin), static_cast<std::uint32_t>(end)});
  }));
  return out;
}

}  // namespace heng::guard_injection
